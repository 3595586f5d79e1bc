"""What the commands that read events have in common: they combine the records of ended makes first."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator

from make_metrics.commands.project import combine_records, opened_store
from make_metrics.commands.warn import warn
from make_metrics.files.paths import Paths
from make_metrics.report.since import since_ns
from make_metrics.store.store import Store

_SWEEP_S = 10


@contextlib.contextmanager
def combined_store() -> Iterator[Store]:
    """The store for the length of a `with` block, once all records are combined; problems go to standard error.

    Raises UserError if the store cannot be used, and as `database.opened` does for damage.
    """
    paths = Paths.from_environment()
    problems = combine_records(paths, timeout_s=_SWEEP_S)
    with opened_store(paths) as store:
        warn(problems)  # not before: where the store cannot be opened, the error says it
        yield store


def start_ns(since: str | None) -> int | None:
    """`--since` in nanoseconds since the epoch, None if not given; raises UserError for a bad value."""
    return None if since is None else since_ns(since, now_ns=time.time_ns())
