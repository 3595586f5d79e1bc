"""One call to the store on a connection of its own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from make_metrics.files.paths import Paths
from make_metrics.store import database
from make_metrics.store.outbox import Entry, Outbox

T = TypeVar("T")


def ask(paths: Paths, work: Callable[[sqlite3.Connection], T], problems: list[str] | None = None) -> T:
    """Open the store, and return what `work` returns for the connection."""
    with database.opened(paths, [] if problems is None else problems) as connection:
        return work(connection)


def waiting_for(outbox: Outbox, project: str, sink: str) -> list[Entry]:
    """The messages of a project that wait for a sink, oldest first."""
    return outbox.reload([entry for entry in outbox.all_entries(project) if entry.sink == sink])
