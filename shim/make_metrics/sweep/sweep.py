"""The sweep: records of ended makes go into the store, each line exactly once, and are removed.

`sweep.run_records` does this for one run. This module finds the runs whose make has ended, and deletes what is too old.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from make_metrics.crashes import log as crash_log
from make_metrics.deliver.permissions import ProjectCache
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path, private_directory
from make_metrics.hot import procfs
from make_metrics.metrics.collector import Collector
from make_metrics.processes.alive import alive
from make_metrics.store import database
from make_metrics.store.history import History
from make_metrics.store.outbox import Outbox
from make_metrics.store.store import Store
from make_metrics.store.troubles import Troubles
from make_metrics.sweep import record_file
from make_metrics.sweep.run_records import Context, combine_run
from make_metrics.sweep.run_records import Swept as Swept

_DAY_NS = 86_400_000_000_000


def sweep(paths: Paths, *, timeout: float = 0) -> Swept:
    """Combine the records of all runs whose make has ended, and delete what is too old.

    Waits up to `timeout` seconds for another sweep to end. With 0 it returns at once and notes no problem, as the other
    sweep does the work. Raises UserError if the state directory or the store cannot be written.
    """
    for directory in (paths.state, paths.records, paths.makes):
        private_directory(directory)
    lock = FileLock(paths.sweep_lock, mode=0o600)
    problems: list[str] = []
    try:
        with lock.acquire(timeout=timeout, poll_interval=0.02):
            try:
                return _sweep(paths, lock, problems)
            except database.ReplacedError as error:
                # Records that were combined into the damaged store are lost. Combine the others into the new one.
                problems.append(error.line)
                return _sweep(paths, lock, problems)
    except Timeout:
        if timeout:
            problems.append("another make-metrics is combining records: the latest runs may be missing")
        return Swept(problems=problems)


def _sweep(paths: Paths, lock: BaseFileLock, problems: list[str]) -> Swept:
    swept = Swept(problems=problems)
    now_ns = time.time_ns()
    with database.opened(paths, problems, lock=lock) as connection, Collector() as collector:
        store, outbox = Store(connection), Outbox(connection)
        context = Context(paths, store, outbox, collector, ProjectCache(paths), now_ns)
        for run, records in sorted(_records_by_run(paths.records).items()):
            _sweep_run(context, run, records, swept)
        _remove_old_markers(paths.makes, now_ns)
        with store.transaction():
            outbox.prune(now_ns=now_ns)
            Troubles(connection).prune(now_ns=now_ns)
        History(connection).prune(now_ns=now_ns)
    crash_log.prune(paths, now_ns=now_ns)
    return swept


def _sweep_run(context: Context, run: str, records: list[Path], swept: Swept) -> None:
    """Combine a run's records if its make has ended. A failure is noted, and does not stop the sweep."""
    try:
        if _has_ended(run, records or [context.paths.record_lock(run)], context.now_ns):
            combine_run(context, run, records, swept)
        else:
            swept.left += len(records)
    except FileNotFoundError:
        pass  # a writer removed its only record again, or another sweep removed the lock
    except Timeout:
        swept.left += len(records)
    except (OSError, MemoryError) as error:
        swept.left += len(records)
        path = printable_path(context.paths.records / run)
        reason = error.strerror if isinstance(error, OSError) else "there is not enough memory"
        swept.problems.append(f"cannot combine the record {path}.rec: {reason}")
    except (UserError, sqlite3.Error):
        raise  # about the state directory or the store, and so about all runs
    except Exception as error:
        swept.left += len(records)
        crash_log.note(error, part="sweep", paths=context.paths)
        path = printable_path(context.paths.records / run)
        swept.problems.append(f"cannot combine the record {path}.rec: {type(error).__name__} (make-metrics doctor)")


def _records_by_run(directory: Path) -> dict[str, list[Path]]:
    """The records in a directory, by run. A run that has a lock and no record is included."""
    runs: dict[str, list[Path]] = {}
    for path in directory.iterdir():
        if path.suffix in (".rec", ".lock"):
            records = runs.setdefault(path.stem.partition("~")[0], [])
            if path.suffix == ".rec":
                records.append(path)
    return runs


def _has_ended(run: str, files: Iterable[Path], now_ns: int) -> bool:
    """Whether a run's make has ended. If unknown, it counts as ended once nothing was written for a day."""
    living = alive(run, next(filter(None, map(record_file.boot, files)), ""))
    if living is None:
        return max(path.lstat().st_mtime_ns for path in files) < now_ns - _DAY_NS
    return not living


def _remove_old_markers(directory: Path, now_ns: int) -> None:
    """Remove the markers of make processes that have ended, once they are a day old.

    Also the results of trying the shim, `tried.<boot>.<pid>.<start>` (the fragment names them so): those of this boot
    as soon as their make has ended.
    """
    tried = f"tried.{procfs.boot_id().decode('ascii')}."
    for path in directory.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.name.startswith(tried):
                pid, start = path.name.removeprefix(tried).split(".")[:2]
                if alive(f"{procfs.host().decode('ascii')}.{pid}.{start}") is False:
                    path.unlink()
            elif path.lstat().st_mtime_ns < now_ns - _DAY_NS and not alive(path.name):
                path.unlink()
