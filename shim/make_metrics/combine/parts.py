"""The lines of a run, added up. Pure, and the same for any order of the lines: parts of a run can be merged.

So a line that is recorded after its run was combined gives the same events as if it had been there from the start.
"""

from __future__ import annotations

from typing import NamedTuple

from make_metrics.combine.record import Contents, Line, Make, Needs, larger
from make_metrics.dataclass import dataclass, field

_BUSY_LIMIT_NS = 2**63 - 1  # the store's largest integer: no targets of this machine are busy for 292 years
LINES_KEPT = 1_000  # of one target, each for itself


class Final(NamedTuple):
    """How the last line of a target ended. Instances are ordered by time."""

    end_ns: int
    start_ns: int
    status: int
    fate: int


class Piece(NamedTuple):
    """One recipe line of a target; the values are those of a `Line`."""

    start_ns: int
    end_ns: int
    status: int
    cpu_us: int | None
    peak_kib: int | None


class Work(NamedTuple):
    """The recipe lines of one target in one make process, added up.

    `busy_ns` and `cpu_us` are sums, `peak_kib` is the maximum. The last two are None if they are unknown for any line.
    `several` are the lines themselves, in order, if they are two to `LINES_KEPT`; see `pieces`.
    """

    goal: str
    level: int
    start_ns: int
    wall_ns: int
    busy_ns: int
    lines: int
    final: Final
    cpu_us: int | None = None
    peak_kib: int | None = None
    several: tuple[Piece, ...] = ()

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Each line in order; empty if they are too many, or if an earlier version added them up."""
        if self.lines > 1:
            return self.several
        return (Piece(self.start_ns, self.final.end_ns, self.final.status, self.cpu_us, self.peak_kib),)


@dataclass(slots=True)
class Run:
    """One run: its make processes by key, the work of each target by (make, target), and how many entries were torn.

    `needs` is what targets need, as far as that is known.
    """

    id: str
    makes: dict[str, Make] = field(default_factory=dict)
    work: dict[tuple[str, str], Work] = field(default_factory=dict)
    torn: int = 0
    needs: dict[tuple[str, str], Needs] = field(default_factory=dict)


def without_dot(name: str) -> str:
    """A goal's or target's name without leading "./", as make itself names it."""
    while name.startswith("./") and len(name) > 2:
        name = name[2:].lstrip("/")
    return name


def _work(line: Line) -> Work:
    return Work(
        goal=without_dot(line.goal),
        level=line.level,
        start_ns=line.start_ns,
        wall_ns=line.wall_ns,
        busy_ns=line.end_ns - line.start_ns,
        lines=1,
        final=Final(line.end_ns, line.start_ns, line.status, line.fate),
        cpu_us=line.cpu_us,
        peak_kib=line.peak_kib,
    )


def _order(piece: Piece) -> tuple[int, ...]:
    return *piece[:3], -1 if piece.cpu_us is None else piece.cpu_us, -1 if piece.peak_kib is None else piece.peak_kib


def _merge_work(left: Work, right: Work) -> Work:
    first = min(left, right, key=lambda work: (work.start_ns, work.wall_ns, work.goal, work.level))
    lines, pieces = left.lines + right.lines, (*left.pieces, *right.pieces)
    return first._replace(
        busy_ns=min(left.busy_ns + right.busy_ns, _BUSY_LIMIT_NS),
        lines=lines,
        several=tuple(sorted(pieces, key=_order)) if len(pieces) == lines <= LINES_KEPT else (),
        final=max(left.final, right.final),
        cpu_us=None if left.cpu_us is None or right.cpu_us is None else left.cpu_us + right.cpu_us,
        peak_kib=None if left.peak_kib is None or right.peak_kib is None else max(left.peak_kib, right.peak_kib),
    )


def gather(run: str, contents: Contents) -> Run:
    """A record's entries, added up."""
    gathered = Run(run, torn=contents.torn)
    for make in contents.makes:
        _add_make(gathered, make)
    for line in contents.lines:
        _add_work(gathered, (line.make, without_dot(line.target)), _work(line))
    for (make_key, target), needs in contents.needs:
        _add_needs(gathered, (make_key, without_dot(target)), needs)
    return gathered


def _add_make(run: Run, make: Make) -> None:
    """Add a make process. Of several descriptions of one process the earliest is kept, whatever their order."""
    present = run.makes.get(make.key)
    if present is None or (make.wall_ns, repr(make)) < (present.wall_ns, repr(present)):
        run.makes[make.key] = make


def _add_work(run: Run, key: tuple[str, str], work: Work) -> None:
    present = run.work.get(key)
    run.work[key] = work if present is None else _merge_work(present, work)


def _add_needs(run: Run, key: tuple[str, str], needs: Needs) -> None:
    run.needs[key] = larger(needs, run.needs.get(key))


def merge(left: Run, right: Run) -> Run:
    """Two parts of the same run as one. Neither argument is changed."""
    merged = Run(left.id, dict(left.makes), dict(left.work), left.torn, dict(left.needs))
    absorb(merged, right)
    return merged


def absorb(run: Run, part: Run) -> None:
    """Merge another part of the same run into this one, which changes."""
    run.torn += part.torn
    for make in part.makes.values():
        _add_make(run, make)
    for key, work in part.work.items():
        _add_work(run, key, work)
    for key, needs in part.needs.items():
        _add_needs(run, key, needs)
