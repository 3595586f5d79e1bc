"""What a metric is given: what is known of a run, and of a target in it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """One make process of a run; a make that a recipe started has its own. Empty texts and None are not known.

    `goals` are what it was asked for, `directory` where it works, `level` is 0 for the make that was started by hand.
    `started_ns` and `ended_ns` are nanoseconds since the epoch: the first recipe line's start, the last one's end.
    `jobs` is how many recipes it may run at once, 0 for no limit. `ci` names the CI service, "none" outside of one.
    `repository` is the work tree, `commit` and `branch` what was checked out there when make began, `default_branch`
    what the project calls its own. `here` is whether it ran on this machine, since that was last started.
    """

    goals: tuple[str, ...] = ()
    directory: str = ""
    level: int = 0
    started_ns: int = 0
    ended_ns: int = 0
    make_version: str = ""
    jobs: int | None = None
    ci: str = ""
    repository: str = ""
    commit: str = ""
    branch: str = ""
    default_branch: str = ""
    here: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """One target in one make process; the names are those of the event (see `docs/transparency.md`).

    `cpu_us` is microseconds of processor time, `peak_kib` the most memory that a program of its lines held, in KiB;
    both are None when they are not known, or the target has no lines of its own.
    """

    run: RunFacts
    target: str
    goal: bool
    start_ns: int
    duration_ms: int
    exit_status: int
    recipe_ms: int
    recipe_lines: int
    cpu_us: int | None = None
    peak_kib: int | None = None
