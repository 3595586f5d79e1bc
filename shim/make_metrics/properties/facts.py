"""The facts that a metric computes its value from: those of a make process, and those of a target in it."""

from __future__ import annotations

from make_metrics.dataclass import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """One make process of a run. A make that a recipe started has facts of its own.

    An empty text and None mean: not known.

    - `goals`: the targets that make was asked for, or its default goal.
    - `directory`: the directory that it works in.
    - `level`: 0 for the make that was started by hand, 1 for a make that a recipe of it started, and so on.
    - `started_ns`, `ended_ns`: start of the first recipe line and end of the last, in nanoseconds since the epoch.
    - `make_version`: GNU make's version number.
    - `jobs`: how many recipes make may run at once, 0 for no limit.
    - `ci`: the name of the CI service, "none" outside of CI.
    - `driver`: "person", "ci", or "agent" for a coding assistant.
    - `repository`, `commit`, `branch`: the work tree, and what was checked out in it when make began.
    - `default_branch`: the default branch that the project's settings name.
    - `here`: whether make ran on this machine since the machine was last started.
    """

    goals: tuple[str, ...] = ()
    directory: str = ""
    level: int = 0
    started_ns: int = 0
    ended_ns: int = 0
    make_version: str = ""
    jobs: int | None = None
    ci: str = ""
    driver: str = ""
    repository: str = ""
    commit: str = ""
    branch: str = ""
    default_branch: str = ""
    here: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFacts:
    """One target in one make process. Fields named like a property of the event mean the same (`docs/transparency.md`).

    - `run`: the facts of its make process.
    - `target`: the target's name in full.
    - `start_ns`: when the target began, in nanoseconds since the epoch.
    - `cpu_us`: processor time of the target's recipe lines, in microseconds.
    - `peak_kib`: the most memory that one program of these lines held, in KiB.

    The last two are None if they are not known, or if the target has no recipe lines.
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
