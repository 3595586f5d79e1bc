"""The two sides of a comparison: a run, the runs of a branch or a commit, or those of a time."""

from __future__ import annotations

import argparse
import re
import sqlite3
import time
from collections.abc import Callable

from make_metrics.analysis.run_name import age, named, short_names
from make_metrics.dataclass import dataclass, replace
from make_metrics.errors import UsageError, UserError
from make_metrics.report.local_time import local_time
from make_metrics.report.many.comparison import Side
from make_metrics.report.since import since_ns, span_ns
from make_metrics.store import builds
from make_metrics.store.questions.own_times import OneRun, chosen_runs
from make_metrics.store.questions.selection import Selection

_COMMIT = re.compile(r"[0-9a-f]{4,64}")
_SHOWN, _COMMIT_SHOWN = 5, 12
_FARTHEST = 1_000_000  # runs that `last~N` goes back
PAST_RUNS = 200  # that are looked at for what is usual


def sides(connection: sqlite3.Connection, given: argparse.Namespace, selection: Selection) -> tuple[Side, Side]:
    """The sides that the command line names, the one before first. No run is on both.

    `given` has `sides` (up to two texts), `since`, `until` and `against`; `selection` is what `since`, `until` and the
    other options choose. Raises UsageError for what contradicts itself, UserError if a side has no run.
    """
    if len(given.sides) > 2:
        raise UsageError(f"two things can be compared, not {len(given.sides)}: {' '.join(given.sides)}")
    if not given.sides:
        return _periods(connection, given, selection)
    if given.against is not None:
        raise UsageError("--against goes with --since, not with names: compare --since 7d --against 7d")
    names = _Names(connection, selection)
    before, after = map(names.side, (*given.sides, "last")[:2])
    shared = {run.number for run in after.runs}
    before = replace(before, runs=tuple(run for run in before.runs if run.number not in shared))
    if not before.runs:
        raise UserError(f"{before.name} and {after.name} are the same: there is nothing to compare")
    if len(before.runs) == len(after.runs) == 1 and before.runs[0].started_ns > after.runs[0].started_ns:
        raise UserError(f"{after.name} is older than {before.name}: name the older one first")
    return before, after


def past(connection: sqlite3.Connection, run: OneRun, selection: Selection) -> list[OneRun]:
    """The runs up to this one that tell what is usual: of the same directory, with as many jobs."""
    earlier = replace(selection, goal="", jobs=run.jobs, since_ns=0, until_ns=run.started_ns + 1)
    return [other for other in chosen_runs(connection, earlier, newest=PAST_RUNS) if other.directory == run.directory]


def _periods(connection: sqlite3.Connection, given: argparse.Namespace, selection: Selection) -> tuple[Side, Side]:
    if given.since is None:
        raise UsageError("name what to compare: two runs, branches or commits, or --since 7d --against 7d")
    begin_ns, end_ns = selection.since_ns, time.time_ns() if given.until is None else selection.until_ns
    if given.against is None:
        before_ns = begin_ns - (end_ns - begin_ns)
    elif (length_ns := span_ns(given.against)) is not None:
        before_ns = begin_ns - length_ns
    else:
        before_ns = since_ns(given.against, now_ns=time.time_ns(), option="--against")
    before_ns = max(0, before_ns)
    if not before_ns < begin_ns < end_ns:
        raise UsageError("--against must begin before --since, and --since before --until, or now")
    both = []
    for start_ns, stop_ns in ((before_ns, begin_ns), (begin_ns, end_ns)):
        name = f"{local_time(start_ns)} to {local_time(stop_ns)}"
        runs = chosen_runs(connection, replace(selection, since_ns=start_ns, until_ns=stop_ns))
        if not runs:
            raise UserError(f"no run that matches began in {name}: give another time, or --all for all projects")
        both.append(Side(name, tuple(runs)))
    return both[0], both[1]


@dataclass(frozen=True, slots=True)
class _Names:
    """What names are looked up in."""

    connection: sqlite3.Connection
    selection: Selection

    def side(self, text: str) -> Side:
        """What a text names: `last~1`, a run, a branch or a commit; raises UserError if that is not one thing.

        `run:`, `branch:` or `commit:` before a name says which it is.
        """
        finders: dict[str, Callable[[str], Side | None]] = {
            "run": self._run, "branch": self._branch, "commit": self._commit
        }  # fmt: skip
        kind, _, rest = text.partition(":")
        if kind in finders and rest:
            sides_by_kind = {kind: finders[kind](rest)}
        elif (back := age(text)) is not None:
            return self._by_age(text, back)
        else:
            sides_by_kind = {kind: find(text) for kind, find in finders.items()}
        there = {kind: side for kind, side in sides_by_kind.items() if side is not None}
        if len(there) > 1:
            choices = " or ".join(f"{kind}:{text}" for kind in there)
            raise UserError(f"{text!r} names a {' and a '.join(there)}: say {choices}")
        for side in there.values():
            return side
        raise UserError(
            f"no run that matches is of a branch or a commit {text!r}, or has this name: make-metrics runs lists runs, "
            "and --all looks at all projects"
        )

    def _run(self, text: str) -> Side | None:
        run_ids = builds.run_ids(self.connection)
        matching = named(text, run_ids)
        if len(matching) > 1:
            names = short_names(run_ids)
            shown = ", ".join(sorted(names[run_id] for run_id in matching)[:_SHOWN])
            raise UserError(f"several runs are named {text}...: give more of the name ({shown})")
        return self._one(matching[0]) if matching else None

    def _branch(self, text: str) -> Side | None:
        runs = chosen_runs(self.connection, self.selection, branch=text)
        return Side(f"branch {text}", tuple(runs)) if runs else None

    def _commit(self, text: str) -> Side | None:
        if not _COMMIT.fullmatch(text.lower()):
            return None
        runs = chosen_runs(self.connection, self.selection, commit=text.lower())
        if not runs:
            return None
        if len({run.commit for run in runs}) > 1:
            raise UserError(f"several commits begin with {text}: give more of it")
        return Side(f"commit {runs[0].commit[:_COMMIT_SHOWN]}", tuple(runs))

    def _by_age(self, text: str, back: int) -> Side:
        runs = chosen_runs(self.connection, self.selection, newest=min(back, _FARTHEST) + 1)
        if not runs:
            raise UserError("no run matches: --all takes the runs of all projects")
        if len(runs) <= back:
            raise UserError(f"there are not as many runs that match: {text} goes back too far")
        return self._one(runs[back].id)

    def _one(self, run_id: str) -> Side:
        (run,) = chosen_runs(self.connection, Selection(), run_id=run_id)
        name = short_names(builds.run_ids(self.connection))[run_id]
        return Side(f"run {name} of {local_time(run.started_ns)}", (run,))
