"""What the commands that read events have in common: they combine the records of ended makes first."""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from typing import TypeVar

from make_metrics.analysis.build import NO_LIMIT
from make_metrics.commands.project import combine_records, opened_store, project_at
from make_metrics.commands.warn import warn
from make_metrics.dataclass import replace
from make_metrics.erasure import requested
from make_metrics.errors import UsageError
from make_metrics.files.paths import Paths
from make_metrics.report.since import since_ns
from make_metrics.store.questions.selection import Selection
from make_metrics.store.store import Store

_SWEEP_S = 10
EACH = "each"  # number of jobs
T = TypeVar("T")


@contextlib.contextmanager
def combined_store() -> Iterator[Store]:
    """The store for the length of a `with` block, once all records are combined; problems go to standard error.

    After the block receivers are asked again that have not answered yet whether they have erased. Raises UserError if
    the store cannot be used, and as `database.opened` does for damage.
    """
    paths = Paths.from_environment()
    problems = combine_records(paths, timeout_s=_SWEEP_S)
    with opened_store(paths) as store:
        warn(problems)  # not before: where the store cannot be opened, the error says it
        yield store
    if requested.any_wait(paths):
        from make_metrics.erasure import asking

        asking.ask_again(paths, os.environ)


def start_ns(since: str | None) -> int | None:
    """`--since` in nanoseconds since the epoch, None if not given; raises UserError for a bad value."""
    return None if since is None else since_ns(since, now_ns=time.time_ns())


def within(given: argparse.Namespace) -> str:
    """The directory that `-C` and `--all` choose: a project's, empty for all. Raises UserError for a bad directory."""
    project = project_at(given.directory)
    warn(project.problems)
    return "" if given.all else project.path


def is_of(directory: str, project: str) -> bool:
    """Whether a run in a directory is one of a project's: at its root or below; of all projects for an empty one."""
    return not project or directory == project or directory.startswith(f"{project.rstrip('/')}/")


def selection(given: argparse.Namespace, project: str) -> Selection:
    """What `--since`, `--until`, `--goal` and `--jobs` choose of a project, empty for all.

    Raises UsageError for a bad time or number.
    """
    chosen = Selection(
        within=project, goal=given.goal or "", jobs=_jobs(given.jobs), since_ns=start_ns(given.since) or 0
    )
    if given.until is None:
        return chosen
    return replace(chosen, until_ns=since_ns(given.until, now_ns=time.time_ns(), option="--until"))


def _jobs(text: str | None) -> int | None:
    if text in (None, EACH):
        return None
    if text == "unlimited":
        return NO_LIMIT
    if text is not None and text.isascii() and text.isdigit() and int(text[:9]) > 0 and len(text) < 9:
        return int(text)
    raise UsageError(f"--jobs {text!r}: give the number of -j, or unlimited")


def limited(rows: Sequence[T], limit: int | None) -> Sequence[T]:
    """The first rows, as many as `--limit` says, None for all; raises UsageError for a number below 1."""
    if limit is not None and limit < 1:
        raise UsageError(f"--limit {limit}: give a number of rows, 1 or more")
    return rows if limit is None else rows[:limit]
