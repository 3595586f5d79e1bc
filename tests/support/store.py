"""The store in one call, for tests that ask for one thing at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TypeVar

from make_metrics.files.paths import Paths
from make_metrics.store import database

T = TypeVar("T")


def ask(paths: Paths, work: Callable[[sqlite3.Connection], T], problems: list[str] | None = None) -> T:
    """What `work` returns for a connection to the store."""
    with database.opened(paths, [] if problems is None else problems) as connection:
        return work(connection)
