"""Points between the steps of a sweep, at which a test looks around, decides something else, or kills the sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from make_metrics.store.store import Store
from make_metrics.sweep import run_records

POINTS = ("locked", "read", "written", "committed", "removed", "unlocked")


@contextmanager
def sweep_points(reached: Callable[[str], None]) -> Iterator[None]:
    """Have `reached` called with the name of each point that a sweep comes by, once for each run (record: removed).

    The points: the run's lock is held; its records are read; everything is written, but not committed; it is committed;
    a record is removed; the lock file is removed.
    """
    writing = False
    read, write, transaction, unlink = run_records._read, run_records._write, Store.transaction, Path.unlink

    def watched_read(target: Any, run: str, path: Path, swept: Any) -> Any:
        if path.name == f"{run}.rec":  # the first record that is looked for, there or not
            reached("locked")
        return read(target, run, path, swept)

    def watched_write(*arguments: Any) -> None:
        nonlocal writing
        writing = True
        write(*arguments)
        writing = False
        reached("committed")

    @contextmanager
    def watched_transaction(store: Store) -> Iterator[None]:
        if writing:
            reached("read")
        with transaction(store):
            yield
            if writing:
                reached("written")

    def watched_unlink(path: Path, *arguments: Any, **options: Any) -> None:
        unlink(path, *arguments, **options)
        if path.parent.name == "records" and path.suffix in (".rec", ".lock"):
            reached("removed" if path.suffix == ".rec" else "unlocked")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_records, "_read", watched_read)
        patch.setattr(run_records, "_write", watched_write)
        patch.setattr(Store, "transaction", watched_transaction)
        patch.setattr(Path, "unlink", watched_unlink)
        yield
