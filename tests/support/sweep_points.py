"""Points between the steps of a sweep, at which a test calls a function, for instance to kill the sweep."""

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
    """Within the block, call `reached` with the name of each point that a sweep reaches, for each run.

    - `locked`: the run's lock is held.
    - `read`: its records are read.
    - `written`: everything is written, and not yet committed.
    - `committed`: the transaction is committed.
    - `removed`: a record is removed. This point comes once for each record.
    - `unlocked`: the lock file is removed.
    """
    writing = False
    read, write, transaction, unlink = run_records._read, run_records._write, Store.transaction, Path.unlink

    def watched_read(context: Any, run: str, path: Path, swept: Any) -> Any:
        if path.name == f"{run}.rec":  # the first record that the sweep looks for, whether it exists or not
            reached("locked")
        return read(context, run, path, swept)

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
