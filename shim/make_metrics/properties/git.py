"""Metrics of git: the commit that was checked out, and the state of the work tree."""

from __future__ import annotations

import time

from make_metrics.project import git_command, git_head
from make_metrics.properties.facts import RunFacts
from make_metrics.properties.metric import Metric

_YEAR_TO_SECOND = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
_FRESH_NS = 60_000_000_000


class CheckedOutMaster(Metric):
    """Whether the default branch was checked out; False for a detached HEAD."""

    identifier = "git_checked_out_master"
    kind = "boolean"
    values = "true or false; left out where it is not known"
    purpose = "to tell work on the default branch from other work, without the branch's name"
    example = True
    scope = "run"
    sources = ("make_metrics/project/git_command.py", "make_metrics/project/git_head.py")

    def value(self, run: RunFacts) -> bool | None:
        """Compare the record's branch with the default branch; None without a commit."""
        return git_command.checked_out_master(run.repository, run.commit, run.branch, run.default_branch)


class CommitTime(Metric):
    """The committer's time of the commit that was checked out when make began."""

    identifier = "git_commit_time"
    kind = "string"
    values = "date and time (ISO 8601); left out where it is not known"
    purpose = "whether a change to the project changed what people do"
    example = "2021-05-17T19:44:09+00:00"
    scope = "run"
    pattern = _YEAR_TO_SECOND + "[+-][0-9]{2}:[0-9]{2}"
    sources = ("make_metrics/project/git_command.py", "make_metrics/project/git_head.py")

    def __init__(self) -> None:
        """Ask git once for each commit."""
        self._times: dict[tuple[str, str], str | None] = {}

    def value(self, run: RunFacts) -> str | None:
        """The time in git's words; None without a commit, or without git."""
        key = (run.repository, run.commit)
        if key not in self._times:
            self._times[key] = git_command.commit_time(*key)
        return self._times[key]


class Dirty(Metric):
    """Whether tracked files had changes that were not committed."""

    identifier = "git_dirty"
    kind = "boolean"
    values = "true or false, of files that git knows; left out where it is not known, or make ended over a minute ago"
    purpose = "to tell builds of a commit from builds of changes to it"
    example = False
    scope = "run"
    sources = ("make_metrics/project/git_command.py",)

    def __init__(self) -> None:
        """Ask git once for each work tree and commit."""
        self._states: dict[tuple[str, str], bool | None] = {}

    def value(self, run: RunFacts) -> bool | None:
        """The state of the work tree now; None if it may differ from the state during the run.

        It may if make ran elsewhere or ended over a minute ago, or if another commit is checked out now.
        """
        key = (run.repository, run.commit)
        if not (run.here and all(key) and 0 <= time.time_ns() - run.ended_ns < _FRESH_NS):
            return None
        if key not in self._states:
            is_same_commit = git_head.read_head(run.repository).commit == run.commit
            self._states[key] = git_command.dirty(run.repository) if is_same_commit else None
        return self._states[key]
