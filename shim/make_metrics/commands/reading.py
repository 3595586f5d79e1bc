"""What the commands that read have in common: ended makes are combined first, then the store is asked."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from make_metrics.commands.project import tell
from make_metrics.files.paths import Paths
from make_metrics.report.since import since_ns
from make_metrics.store import database
from make_metrics.store.store import Store
from make_metrics.sweep.sweep import sweep

T = TypeVar("T")
_PATIENCE_S = 10


def read(query: Callable[[Store], T]) -> T:
    """What a query gives once all records are combined; what was wrong with them is said on standard error.

    Raises UserError if the store cannot be used.
    """
    paths = Paths.from_environment()
    problems = list(sweep(paths, timeout=_PATIENCE_S).problems)
    try:
        return database.use(paths, lambda found: query(Store(found)), problems)
    finally:
        tell(problems)


def start_ns(since: str | None) -> int | None:
    """`--since` in nanoseconds since the epoch, None for not given; raises UserError for a bad value."""
    return None if since is None else since_ns(since, now_ns=time.time_ns())
