"""One run as data: its make processes, their targets and recipe lines. Pure.

All times are whole microseconds from the start of the run's top make, but for `Build.started_ns`.
"""

from __future__ import annotations

from make_metrics.dataclass import dataclass

NO_LIMIT, UNKNOWN_JOBS = 0, -1


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeProcess:
    """One make process.

    `number` counts from 0, the top make, and is the index in `Build.makes`; `parent` is the number of the make whose
    target `parent_target` started this one, None if there is none. `goals` are those of its command line, else the
    default goal. `jobs` is the number of `-j`: `NO_LIMIT` without a limit, `UNKNOWN_JOBS` if unknown. Texts are empty
    if unknown. `start_us` is when the process was started.
    """

    number: int
    parent: int | None = None
    parent_target: str = ""
    level: int = 0
    directory: str = ""
    goals: tuple[str, ...] = ()
    jobs: int = UNKNOWN_JOBS
    version: str = ""
    start_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeLine:
    """One recipe line. `status` is the exit status, or the negative number of the signal that killed the line.

    `cpu_us` is processor time in microseconds, `peak_kib` the most memory that a program held; None if unknown.
    """

    start_us: int
    end_us: int
    status: int = 0
    cpu_us: int | None = None
    peak_kib: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltTarget:
    """One target that make made in one process.

    `make` is the number of its process. It ran from `start_us`, the start of its first recipe line, to `end_us`, the
    end of its last. `own_us` is the sum of its lines, makes that they start included. `status` is as in a record: 0,
    an exit status, or the negative number of a signal. `is_goal` is whether the developer asked for it.

    `lines` are in the order in which they ran, empty if they are not kept. `prerequisites` are make's `$^`,
    `order_only` its `$|`, and `newer` its `$?`; None if not known. `cpu_us` and `peak_kib` are those of its lines.
    """

    make: int
    name: str
    start_us: int
    end_us: int
    own_us: int
    status: int = 0
    is_goal: bool = False
    lines: tuple[RecipeLine, ...] = ()
    prerequisites: tuple[str, ...] | None = None
    order_only: tuple[str, ...] | None = None
    newer: tuple[str, ...] | None = None
    cpu_us: int | None = None
    peak_kib: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One run of make, nested makes included.

    `started_ns` is the start of the top make in nanoseconds since the epoch. `duration_us` is from then to the end of
    the last line. `status` is the exit status of the whole, as in `combine.summary.Summary`. `makes` is in the order of
    their numbers, `targets` in the order in which they began. `commit` and `branch` are empty if unknown.

    `unseen_goals` are goals for which nothing ran, in a run in which no recipe failed: make's exit status is unknown.
    """

    id: str
    started_ns: int
    duration_us: int
    status: int
    makes: tuple[MakeProcess, ...]
    targets: tuple[BuiltTarget, ...]
    commit: str = ""
    branch: str = ""
    unseen_goals: tuple[str, ...] = ()

    @property
    def exit_status(self) -> int | None:
        """`status`; None if only make and whoever started it know."""
        return None if self.unseen_goals else self.status
