"""The sweep: records of ended makes go to the store, each line exactly once, and are removed.

A run's records are read, written to the store and removed under the lock that its writers take. The store's transaction
holds the events together with how far each record is combined; a sweep that is killed behind it leaves a record whose
lines are not combined again, and one that is killed before it has done nothing. The lock file goes last, while it is
held: who waits for it finds that it has no name any more, and begins again with a new one.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from filelock import FileLock, Timeout

from make_metrics.combine.event import Event
from make_metrics.combine.run import Run, events_of, merge
from make_metrics.combine.summary import summarise
from make_metrics.crashes import log as crash_log
from make_metrics.deliver import outgoing
from make_metrics.files.paths import Paths, printable_path, private_directory
from make_metrics.files.set_aside import put_aside
from make_metrics.metrics.collector import Collector
from make_metrics.processes.alive import alive
from make_metrics.store import database
from make_metrics.store.outbox import Outbox
from make_metrics.store.store import Store
from make_metrics.store.troubles import Troubles
from make_metrics.sweep import record_file

_PATIENCE_S = 2  # for a writer, who holds a run's lock for the time of one write
_DAY_NS = 86_400_000_000_000
_MINUTE_NS = 60_000_000_000


@dataclass(slots=True)
class Swept:
    """What a sweep did: records combined, records left for later, records put aside, and lines for standard error."""

    combined: int = 0
    left: int = 0
    put_aside: int = 0
    problems: list[str] = field(default_factory=list)


def sweep(paths: Paths, *, timeout: float = 0, reached: Callable[[str], None] = lambda _: None) -> Swept:
    """Combine the records of all runs whose make has ended, and remove what is too old.

    Waits up to `timeout` seconds for another sweep; with 0 it leaves the work to that one without a word. `reached` is
    called with the name of each point behind which a sweep could be killed. Raises UserError if the state directory or
    the store cannot be written.
    """
    for directory in (paths.state, paths.records, paths.makes):
        private_directory(directory)
    lock = FileLock(paths.sweep_lock, mode=0o600)
    problems: list[str] = []
    try:
        with lock.acquire(timeout=timeout, poll_interval=0.02):

            def work(found: sqlite3.Connection) -> Swept:
                with Collector() as collector:
                    return _sweep(paths, Store(found), Outbox(found), collector, reached, problems)

            return database.use(paths, work, problems, lock)
    except Timeout:
        if timeout:
            problems.append("another make-metrics is combining records: the latest runs may be missing")
        return Swept(problems=problems)


def _sweep(
    paths: Paths,
    store: Store,
    outbox: Outbox,
    collector: Collector,
    reached: Callable[[str], None],
    problems: list[str],
) -> Swept:
    swept = Swept(problems=problems)
    now_ns = time.time_ns()
    projects = outgoing.Projects(paths)
    for run, records in sorted(_found(paths.records).items()):
        try:
            if _ended(run, records or [paths.record_lock(run)], now_ns):
                _Combining(paths, store, outbox, collector, projects, run, swept, reached, now_ns).records(records)
            else:
                swept.left += len(records)
        except FileNotFoundError:
            pass  # a record that its only writer took back, or a lock that another sweep removed
        except Timeout:
            swept.left += len(records)
        except OSError as error:
            swept.left += len(records)
            swept.problems.append(
                f"cannot combine the record {printable_path(paths.records / run)}.rec: {error.strerror}"
            )
    _sweep_makes(paths.makes, now_ns)
    with store.transaction():
        outbox.prune(now_ns=now_ns)
        Troubles(store.connection).prune(now_ns=now_ns)
    store.prune(now_ns=now_ns)
    crash_log.prune(paths, now_ns=now_ns)
    return swept


def _found(directory: Path) -> dict[str, list[Path]]:
    """The records of each run that has any, or at least a lock."""
    found: dict[str, list[Path]] = {}
    for path in directory.iterdir():
        if path.suffix in (".rec", ".lock"):
            records = found.setdefault(path.stem.partition("~")[0], [])
            if path.suffix == ".rec":
                records.append(path)
    return found


def _ended(run: str, files: Iterable[Path], now_ns: int) -> bool:
    """Whether a run's make has ended; one that cannot be judged has when nothing was written for a day."""
    living = alive(run, next(filter(None, map(record_file.boot, files)), ""))
    if living is None:
        return max(path.lstat().st_mtime_ns for path in files) < now_ns - _DAY_NS
    return not living


@dataclass(frozen=True, slots=True)
class _Combining:
    """The combining of one run's records."""

    paths: Paths
    store: Store
    outbox: Outbox
    collector: Collector
    projects: outgoing.Projects
    run: str
    swept: Swept
    reached: Callable[[str], None]
    now_ns: int

    def records(self, found: Iterable[Path]) -> None:
        """Combine and remove records, their lock last."""
        lock_path = self.paths.record_lock(self.run)
        lock = FileLock(lock_path, mode=0o600)
        with lock.acquire(timeout=_PATIENCE_S, poll_interval=0.01):
            self.reached("locked")
            # The first may have been written since they were listed.
            paths = {self.paths.records / f"{self.run}.rec", *found}
            parts = [part for path in sorted(paths) if (part := self._part(path)) is not None]
            self._write(parts)
            self.reached("committed")
            for part in parts:
                part.path.unlink()
                self.swept.combined += 1
                self.reached("removed")
            lock_path.unlink()
            self.reached("unlocked")

    def _part(self, path: Path) -> record_file.Part | None:
        """A record's new entries; None if it is to be left where it is, or was no record and is put aside."""
        try:
            regular = record_file.is_record(path)
        except FileNotFoundError:
            return None
        part = record_file.read(path, self.run, self.store.combined_bytes) if regular else None
        if part is None or (not part.readable and (part.complete or not self._young(part))):
            kept = put_aside(self.paths, path)
            self.swept.put_aside += 1
            self.swept.problems.append(f"{printable_path(path)} is no record: it is kept as {printable_path(kept)}")
            return None
        if not part.complete and self._young(part):
            # Its writer did not get the lock, and may be just about to write.
            self.swept.left += 1
            return None
        return part

    def _young(self, part: record_file.Part) -> bool:
        return "~" in part.path.name and part.modified_ns > self.now_ns - _MINUTE_NS

    def _write(self, parts: list[record_file.Part]) -> None:
        new = Run(self.run)
        for part in parts:
            new = merge(new, part.run)
        kept = self.store.kept(self.run)
        run = merge(kept.run, new) if kept.run else new
        changed = bool(new.work or new.makes or new.torn)
        # Else it is not known any more when the run began.
        may_go = not kept.known or kept.run is not None
        going = outgoing.agreed(self.projects, run) if may_go else {}
        events = self._measured(run, going) if changed else []
        queued = outgoing.entries(self.projects, run, events, going)
        self.reached("read")
        troubles, self.collector.troubles = self.collector.troubles, []
        with self.store.transaction():
            Troubles(self.store.connection).add(troubles, now_ns=self.now_ns)
            # Now nothing that waits can be withdrawn until this is written: it counts what was decided meanwhile.
            ended = {to.project.path for to in going.values() if not self.projects.stands(to)}
            self.outbox.put([entry for entry in queued if entry.project not in ended], now_ns=self.now_ns)
            if changed and kept.known and not kept.run:
                self.store.put_late(run, events)
            elif changed:
                summary = summarise(run, events, fallback_ns=max(part.modified_ns for part in parts))
                self.store.put(run, summary, events, now_ns=self.now_ns)
            for part in parts:
                self.store.mark(part.identity, size=part.size, now_ns=self.now_ns)
            self.reached("written")

    def _measured(self, run: Run, going: Mapping[str, outgoing.Agreed]) -> list[Event]:
        """The run's events with what git says, and with the metrics that were agreed to."""
        return self.collector.collect_run(
            run,
            events_of(run),
            self.store.metrics(self.run),
            default_branch=self.projects.default_branch,
            asked={key: to.metrics for key, to in going.items()},
        )


def _sweep_makes(directory: Path, now_ns: int) -> None:
    """Remove the markers of make processes that are gone, a day after they were made."""
    for path in directory.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if path.lstat().st_mtime_ns < now_ns - _DAY_NS and not alive(path.name):
                path.unlink()
