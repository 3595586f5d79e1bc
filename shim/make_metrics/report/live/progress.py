"""How far a make is that still runs, against the runs before it with the same goals: the lines for people. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

from make_metrics.analysis.build import Build
from make_metrics.combine.parts import Run, Work, without_dot
from make_metrics.combine.record import Make
from make_metrics.dataclass import dataclass, field
from make_metrics.report.rows import duration, jobs_text
from make_metrics.report.run.summary import DIM, FAILED, HEADING, ending
from make_metrics.report.screen import Part, name
from make_metrics.report.wrapped import columns

_BAR, _LEAST_BAR = 24, 8  # columns
_LATEST = 3  # targets that were made, the newest
Place = tuple[str, str]  # the directory of a make, and a target's name


@dataclass(frozen=True, slots=True)
class Past:
    """What the runs before say: milliseconds of the whole, and of each target from its first line to its last.

    `targets` is how many a run made; all are medians, None or missing if unknown.
    """

    whole_ms: int | None = None
    targets: int | None = None
    own_ms: Mapping[Place, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Active:
    """A recipe line that runs now: the key of its make, its target, and its start in nanoseconds since the epoch."""

    make: str
    target: str
    started_ns: int


@dataclass(frozen=True, slots=True)
class Target:
    """A target of the make that runs: its label, milliseconds so far, its usual ones, how it ended (None: it runs)."""

    key: tuple[str, str]
    label: str
    took_ms: int
    usual_ms: float | None
    status: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """What is known of a make that runs: `made` targets in the order in which they ended, and those that run."""

    top: Make
    past: Past
    running_ms: int
    made: Sequence[Target]
    running: Sequence[Target]


def past_of(builds: Sequence[Build], durations_ms: Sequence[int]) -> Past:
    """The past from some runs alike, and the durations of these and more."""
    times: dict[Place, list[int]] = {}
    for build in builds:
        for target in build.targets:
            place = build.makes[target.make].directory, target.name
            times.setdefault(place, []).append(target.end_us - target.start_us)
    return Past(
        whole_ms=round(statistics.median(durations_ms)) if durations_ms else None,
        targets=round(statistics.median(len(build.targets) for build in builds)) if builds else None,
        own_ms={place: statistics.median(each) / 1_000 for place, each in times.items()},
    )


def progress(top: Make, past: Past, run: Run, active: Iterable[Active], now_ns: int) -> Progress:
    """How far a make is, from its record so far and the lines that run. `now_ns` is nanoseconds since the epoch."""
    begun: dict[tuple[str, str], int] = {}
    for line in active:
        key = line.make, without_dot(line.target)
        begun[key] = min(begun.get(key, line.started_ns), line.started_ns)
    ended = sorted(((key, work) for key, work in run.work.items() if key not in begun),
                   key=lambda pair: (pair[1].final.end_ns, pair[0]))  # fmt: skip
    made = [_target(top, past, run, key, _took_ms(work), work.final.status) for key, work in ended]
    running = []
    for key, started_ns in sorted(begun.items(), key=lambda pair: (pair[1], pair[0])):
        earlier = run.work.get(key)  # a line of the same target has ended
        first_ns = started_ns if earlier is None else min(started_ns, earlier.wall_ns)
        running.append(_target(top, past, run, key, max(0, now_ns - first_ns) // 1_000_000, None))
    return Progress(top, past, max(0, now_ns - top.wall_ns) // 1_000_000, made, running)


def _took_ms(work: Work) -> int:
    return max(0, work.final.end_ns - work.start_ns) // 1_000_000


def _target(top: Make, past: Past, run: Run, key: tuple[str, str], took_ms: int, status: int | None) -> Target:
    make = run.makes.get(key[0])
    directory = make.directory if make else ""
    label = key[1]
    if directory and directory != top.directory:
        label = f"{label} ({directory.removeprefix(top.directory.rstrip('/') + '/')})"
    return Target(key, label, took_ms, past.own_ms.get((directory or top.directory, key[1])), status)


def clock(ms: int) -> str:
    """A time that goes on, with one decimal: `0.3s`, `12.0s`, `2m05s`."""
    return f"{ms // 100 / 10:.1f}s" if ms < 60_000 else duration(ms)


def command(top: Make) -> str:
    """The command that started a make, as far as its goals tell it."""
    return " ".join(("make", *top.goals))


def lines(now: Progress, *, most: int, width: int) -> list[list[Part]]:
    """The lines for a terminal of so many columns, two and more, at most `most`.

    A part that does not fit whole may be left out, with those after it.
    """
    usual_ms = now.past.whole_ms
    left = ""
    if usual_ms is not None:
        left_ms = usual_ms - now.running_ms
        left = (
            f", about {clock(left_ms)} to go" if left_ms > 0 else f", longer than the {clock(usual_ms)} that it takes"
        )
    shown: list[list[Part]] = [
        [name(command(now.top), HEADING), Part(f"  running for {clock(now.running_ms)}"), Part(left)],
        _counts(now, width),
    ]
    room = max(0, most - len(shown))
    running = now.running if len(now.running) <= room else now.running[: max(0, room - 1)]
    shown += [_running_line(target) for target in running]
    if len(running) < len(now.running) and room:
        shown.append([Part(f"          and {len(now.running) - len(running)} more", DIM)])
    latest = now.made[-min(_LATEST, room - len(now.running)) :] if room > len(now.running) else ()
    return shown + [_made_line(target) for target in reversed(latest)]


def _counts(now: Progress, width: int) -> list[Part]:
    failed = sum(1 for target in now.made if target.status)
    total = now.past.targets
    of = f" of about {total}" if total and len(now.made) <= total else ""
    parts = [Part(f"{len(now.made)}{of} targets made")]
    if failed:
        parts.append(Part(f", {failed} failed", FAILED))
    parts.append(Part(f", {len(now.running)} running with {jobs_text(now.top.jobs)}"))
    bar = min(_BAR, width - sum(columns(part.text) for part in parts) - len("[] "))
    if total and bar >= _LEAST_BAR:
        filled = round(_part_done(now) * bar)
        parts.insert(0, Part(f"[{'#' * filled}{'.' * (bar - filled)}] "))
    return parts


def _part_done(now: Progress) -> float:
    """The part of the usual work that is done, of the targets that the runs before made."""
    whole_ms = sum(now.past.own_ms.values())
    if whole_ms <= 0:
        return min(1.0, len(now.made) / (now.past.targets or 1))
    done_ms = sum(target.usual_ms or 0 for target in now.made)
    done_ms += sum(min(target.took_ms, target.usual_ms or 0) for target in now.running)
    return min(1.0, done_ms / whole_ms)


def _running_line(target: Target) -> list[Part]:
    usual = "" if target.usual_ms is None else f" of about {clock(round(target.usual_ms))}"
    return [Part(f"{clock(target.took_ms):>9}"), Part(f"{usual}  ", DIM), name(target.label)]


def _made_line(target: Target) -> list[Part]:
    if target.status:
        return [Part(f"{duration(target.took_ms):>9}  "), name(target.label, FAILED),
                Part(f"  {ending(target.status)}", FAILED)]  # fmt: skip
    return [Part(f"{duration(target.took_ms):>9}  ", DIM), name(target.label, DIM), Part("  made", DIM)]


def begun_line(now: Progress, target: Target) -> list[Part]:
    """The line of a pipe for a target that has begun."""
    usual = "" if target.usual_ms is None else f", about {duration(round(target.usual_ms))}"
    return [Part(f"{clock(now.running_ms):>8}  begun   "), name(target.label), Part(usual)]


def ended_line(now: Progress, target: Target) -> list[Part]:
    """The line of a pipe for a target that has ended."""
    word = "failed" if target.status else "made"
    how = f" with {ending(target.status)}" if target.status else ""
    return [Part(f"{clock(now.running_ms):>8}  {word:6}  "), name(target.label),
            Part(f"  after {duration(target.took_ms)}{how}")]  # fmt: skip
