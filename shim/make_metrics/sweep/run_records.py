"""One run's records: read, written to the store, and removed, all under the lock that their writers take.

The store's transaction holds the events together with how far each record is combined. A sweep that is killed after
the transaction leaves a record whose lines are not combined again; one that is killed before it has changed nothing.
The lock file is removed last, while the lock is held: a writer that waits for it sees that the file has no name any
more, and starts again with a new one.
"""

from __future__ import annotations

import contextlib
import gc
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from make_metrics.combine.run import Run, absorb, events_of
from make_metrics.combine.summary import summarise
from make_metrics.crashes import log as crash_log
from make_metrics.deliver.permissions import permissions
from make_metrics.errors import UserError
from make_metrics.files.lock import BusyError, FileLock
from make_metrics.files.paths import printable_path
from make_metrics.files.set_aside import put_aside
from make_metrics.store.pieces import Pieces
from make_metrics.sweep import record_file
from make_metrics.sweep.context import Context, PausedError, Swept
from make_metrics.sweep.record_file import Part
from make_metrics.sweep.writing import measured, queue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from make_metrics.store.outbox import Entry

# These say nothing about a record: the store, a lock, the disk, the memory or the time cannot be had now.
_GENERAL_ERRORS = (sqlite3.Error, BusyError, OSError, MemoryError, UserError, PausedError)
# But these are of values that the store cannot hold.
_VALUE_ERRORS = (sqlite3.DataError, sqlite3.IntegrityError, sqlite3.InterfaceError, sqlite3.ProgrammingError)
_BUG = "make-metrics failed on it (make-metrics doctor)"
_PATIENCE_S = 2  # a writer holds a run's lock for the time of one write
_MINUTE_NS = 60_000_000_000
PIECE_BYTES = 2 * 1024 * 1024  # of a record: half a second's work
LARGE = 10_000  # targets; a run of more is written in slices


def combine_run(context: Context, run: str, records: Iterable[Path], swept: Swept) -> None:
    """Combine and remove the records of one run, and count them in `swept`.

    Raises BusyError if a writer holds the lock for too long, OSError if a record cannot be read, moved or
    removed, MemoryError, PausedError, or sqlite3.Error. A record that makes us raise anything else is put aside: it
    costs nothing but itself.
    """
    lock_path = context.paths.record_lock(run)
    with FileLock(lock_path).acquire(timeout=_PATIENCE_S, poll_interval=0.01):
        # The run's main record may have been written since the records were listed.
        paths = {context.paths.records / f"{run}.rec", *records}
        parts = [part for path in sorted(paths) if (part := _read(context, run, path, swept)) is not None]
        for part in _store(context, run, parts, swept):
            part.path.unlink()
            swept.combined += 1
        lock_path.unlink()


def _store(context: Context, run: str, parts: Sequence[Part], swept: Swept) -> list[Part]:
    """Write records to the store; return those that are in it. Each of the others is put aside.

    If they raise together, each is tried alone, and then without what is measured and sent.
    """
    try:
        with _uncollected():
            _write(context, run, parts)
        return list(parts)
    except Exception as error:
        _raise_if_general(error)
        crash_log.note(error, part="sweep", paths=context.paths)
        if len(parts) > 1:
            return [part for each in parts for part in _store(context, run, [each], swept)]
    try:
        _write(context, run, parts, bare=True)
        swept.problems.append(f"{printable_path(parts[0].path)} is combined, but nothing of it is sent: {_BUG}")
        return list(parts)
    except Exception as error:
        _raise_if_general(error)
        crash_log.note(error, part="sweep", paths=context.paths)
        for part in parts:
            _put_aside(context, part.path, "cannot be combined", swept)
        return []


@contextlib.contextmanager
def _uncollected() -> Iterator[None]:
    """Look for no garbage meanwhile: among the million objects of a large run that takes half of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _raise_if_general(error: Exception) -> None:
    """Raise an error again that is not about the record that raised it."""
    if isinstance(error, _GENERAL_ERRORS) and not isinstance(error, _VALUE_ERRORS):
        raise error


def _put_aside(context: Context, path: Path, reason: str, swept: Swept) -> None:
    new_path = put_aside(context.paths, path)
    swept.put_aside += 1
    swept.problems.append(f"{printable_path(path)} {reason}: it is kept as {printable_path(new_path)}")


def _read(context: Context, run: str, path: Path, swept: Swept) -> Part | None:
    """A record's new entries. None for a record that is left for later, and for a file that is put aside."""
    try:
        regular = record_file.is_record(path)
    except FileNotFoundError:
        return None
    try:
        part = record_file.read(path, run, context.store.combined_bytes, PIECE_BYTES) if regular else None
        while part is not None and part.more and part.readable:
            _keep_piece(context, part)
            context.check_time()
            part = record_file.read(path, run, context.store.combined_bytes, PIECE_BYTES)
    except Exception as error:
        _raise_if_general(error)
        crash_log.note(error, part="sweep", paths=context.paths)
        _put_aside(context, path, "cannot be read", swept)
        return None
    if part is None or (not part.readable and (part.complete or not _is_young(part, context.now_ns))):
        _put_aside(context, path, "is no record", swept)
        return None
    if not part.complete and _is_young(part, context.now_ns):
        swept.left += 1  # its writer does without the lock, and may be about to write
        return None
    return part


def _keep_piece(context: Context, part: Part) -> None:
    """Store a piece of a large record by itself, so that a sweep that ends here has not worked in vain."""
    with context.store.transaction():
        Pieces(context.store.connection).put(part.run, identity=part.identity, start=part.start)
        context.store.mark(part.identity, size=part.size, now_ns=context.now_ns)


def _is_young(part: Part, now_ns: int) -> bool:
    """Whether a record that a writer without the lock made for itself was written within the last minute."""
    return "~" in part.path.name and part.modified_ns > now_ns - _MINUTE_NS


def _write(context: Context, name: str, parts: Sequence[Part], *, bare: bool = False) -> None:
    """Write the records' new entries to the store and, as far as their sending was agreed to, to the outbox.

    With `bare` nothing is measured or sent, so that neither can fail.
    """
    store, now_ns = context.store, context.now_ns
    new = Run(name)
    for part in parts:
        absorb(new, part.run)
    has_new = bool(new.work or new.makes or new.torn)
    saved = store.load_run(name)
    run = saved.run or Run(name)
    in_pieces = Pieces(store.connection).absorb_into(run)
    absorb(run, new)
    # The parts of a run are deleted after a week. Then nothing of it is sent: it may have started before the yes.
    is_whole = not saved.exists or saved.run is not None
    permitted = permissions(context.projects, run) if is_whole and not bare else {}
    context.written.add(name)
    if in_pieces or (has_new and len(run.work) > LARGE):
        from make_metrics.sweep import large_run

        large_run.write(context, run, parts, permitted, is_whole=is_whole, bare=bare)
        return
    events = events_of(run) if has_new else []
    events = events if bare else measured(context, run, events, permitted)
    entries: list[Entry] = []
    if permitted:
        from make_metrics.deliver import outgoing  # takes a while to load: most runs are sent nowhere

        entries = outgoing.entries(context.projects, run, events, permitted)
    with store.transaction():
        queue(context, entries, permitted)
        if has_new and not is_whole:
            store.put_late(run, events)
        elif has_new:
            summary = summarise(run, events, fallback_ns=max(part.modified_ns for part in parts))
            store.put(run, summary, events, now_ns=now_ns)
        for part in parts:
            store.mark(part.identity, size=part.size, now_ns=now_ns)
