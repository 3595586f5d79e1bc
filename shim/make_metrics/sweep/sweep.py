"""The sweep: records of ended makes go into the store, each line exactly once, and are removed.

`sweep.run_records` does this for one run. This module finds the runs whose make has ended, and deletes what is too old.
"""

from __future__ import annotations

import contextlib
import math
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path

from make_metrics.crashes import log as crash_log
from make_metrics.errors import UserError
from make_metrics.files.lock import BusyError, FileLock
from make_metrics.files.paths import Paths, printable_path, private_directory
from make_metrics.hot import procfs
from make_metrics.metrics.trouble import NoProcessError
from make_metrics.processes.alive import KEY, alive
from make_metrics.sinks.user_settings import read_history_limit
from make_metrics.store import database
from make_metrics.store.bounds import DAY_NS, MIB
from make_metrics.store.history import History
from make_metrics.store.outbox import Outbox
from make_metrics.store.store import Store
from make_metrics.store.troubles import Troubles
from make_metrics.sweep import clock, record_file
from make_metrics.sweep.context import Context, PausedError
from make_metrics.sweep.context import Swept as Swept

_MINUTE_NS = 60_000_000_000


def sweep(paths: Paths, *, timeout: float = 0, give_up: float = math.inf, at_least_s: float = 0) -> Swept:
    """Combine the records of all runs whose make has ended, and delete what is too old.

    Waits up to `timeout` seconds for another sweep to end. With 0 it returns at once and notes no problem, as the other
    sweep does the work. Small and new records are combined first. From `give_up` on (monotonic clock, seconds) what is
    large is left for the next sweep, but not before this one has had `at_least_s` seconds of the processor: going on
    with a large run takes some before anything more of it is stored. Raises UserError if the state directory or the
    store cannot be written.
    """
    for directory in (paths.state, paths.records, paths.makes):
        private_directory(directory)
    lock = FileLock(paths.sweep_lock)
    problems: list[str] = []
    try:
        with lock.acquire(timeout=timeout, poll_interval=0.02):
            try:
                return _sweep(paths, lock, problems, give_up, at_least_s)
            except database.ReplacedError as error:
                # Records that were combined into the damaged store are lost. Combine the others into the new one.
                problems.append(error.line)
                return _sweep(paths, lock, problems, give_up, at_least_s)
    except BusyError:
        if timeout:
            problems.append("another make-metrics is combining records: the latest runs may be missing")
        return Swept(problems=problems)


def _sweep(paths: Paths, lock: FileLock, problems: list[str], give_up: float, at_least_s: float) -> Swept:
    swept = Swept(problems=problems)
    now_ns = time.time_ns()
    with database.opened(paths, problems, lock=lock) as connection:
        store, outbox = Store(connection), Outbox(connection)
        runs = _records_by_run(paths.records)
        written = _combine(paths, store, outbox, runs, swept, now_ns, give_up, at_least_s) if runs else set()
        _remove_old_markers(paths.makes, now_ns)
        with store.transaction():
            oldest_ns = clock.advance(connection, now_ns).trusted_ns
            outbox.prune(now_ns=oldest_ns, written_ns=now_ns)
            Troubles(connection).prune(now_ns=oldest_ns)
        limit_bytes = read_history_limit(paths)
        if given_up := History(connection).prune(now_ns=oldest_ns, written=written, limit_bytes=limit_bytes):
            problems.append(
                f"the history has reached {limit_bytes // MIB} MiB: its oldest {given_up} runs are deleted "
                f"(history-mib in {printable_path(paths.user_settings)} sets another limit)"
            )
    crash_log.prune(paths, now_ns=oldest_ns)
    return swept


def _combine(
    paths: Paths,
    store: Store,
    outbox: Outbox,
    runs: dict[str, list[Path]],
    swept: Swept,
    now_ns: int,
    give_up: float,
    at_least_s: float,
) -> set[str]:
    """Combine the records of runs, small and new ones first; the runs that were written to the store."""
    # Only here: they take a while to load, and mostly nothing has happened since the last sweep.
    from make_metrics.deliver.permissions import ProjectCache
    from make_metrics.metrics.collector import Collector

    with Collector() as collector:
        fair = time.process_time() + at_least_s
        context = Context(paths, store, outbox, collector, ProjectCache(paths), now_ns, give_up, fair)
        for run, records in _small_and_new_first(runs):
            if context.time_is_up() and _is_large(records):
                swept.unfinished = True
                break
            _sweep_run(context, run, records, swept)
    return context.written


def _sweep_run(context: Context, run: str, records: list[Path], swept: Swept) -> None:
    """Combine a run's records if its make has ended. A failure is noted, and does not stop the sweep."""
    try:
        if _has_ended(run, records or [context.paths.record_lock(run)], context.now_ns):
            from make_metrics.sweep.run_records import combine_run

            combine_run(context, run, records, swept)
        else:
            swept.left += len(records)
    except FileNotFoundError:
        pass  # a writer removed its only record again, or another sweep removed the lock
    except (BusyError, NoProcessError):
        swept.left += len(records)
    except (OSError, MemoryError) as error:
        swept.left += len(records)
        path = printable_path(context.paths.records / run)
        reason = error.strerror if isinstance(error, OSError) else "there is not enough memory"
        swept.problems.append(f"cannot combine the record {path}.rec: {reason}")
    except PausedError:
        swept.left += len(records)
        swept.unfinished = True
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


def _small_and_new_first(runs: dict[str, list[Path]]) -> list[tuple[str, list[Path]]]:
    """The runs in the order in which they are combined: none waits for a larger one, or for an older backlog."""

    from make_metrics.sweep.run_records import PIECE_BYTES

    def key(run: str) -> tuple[bool, int, str]:
        size, written_ns = _size_and_time(runs[run])
        return size > PIECE_BYTES, size if size > PIECE_BYTES else -written_ns, run

    return [(run, runs[run]) for run in sorted(runs, key=key)]


def _is_large(records: Iterable[Path]) -> bool:
    from make_metrics.sweep.run_records import PIECE_BYTES

    return _size_and_time(records)[0] > PIECE_BYTES


def _size_and_time(records: Iterable[Path]) -> tuple[int, int]:
    """The records' bytes, and when one of them was last written."""
    size, written_ns = 0, 0
    for path in records:
        with contextlib.suppress(OSError):
            status = path.lstat()
            size, written_ns = size + status.st_size, max(written_ns, status.st_mtime_ns)
    return size, written_ns


def _has_ended(run: str, files: Iterable[Path], now_ns: int) -> bool:
    """Whether a run's make has ended. If unknown, it counts as ended once nothing was written for a day."""
    living = alive(run, next(filter(None, map(record_file.boot, files)), ""))
    if living is None:
        return max(path.lstat().st_mtime_ns for path in files) < now_ns - DAY_NS
    return not living


def _remove_old_markers(directory: Path, now_ns: int) -> None:
    """Remove the markers of make processes that have ended, a minute after the walk has written them.

    Until then a line of a killed make may wait for its walk. If it cannot be known whether a make has ended, its marker
    stays for a day. What lines leave for their make, `tried.<boot>.<pid>.<start>...` and `known...` (the fragment names
    them so), goes as soon as their make has ended.
    """
    boot = procfs.boot_id().decode("ascii")
    for path in directory.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.name.startswith((f"tried.{boot}.", f"known.{boot}.")):
                pid, start = path.name.split(".")[2:4]
                if alive(f"{procfs.host().decode('ascii')}.{pid}.{start}") is False:
                    path.unlink()
            elif (written_ns := path.lstat().st_mtime_ns) < now_ns - _MINUTE_NS:
                living = alive(path.name) if KEY.fullmatch(path.name) else None
                if living is False or (living is None and written_ns < now_ns - DAY_NS):
                    path.unlink()
