"""Estimates for other numbers of jobs: the text, the Markdown and the JSON of `make-metrics what-if`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from make_metrics.analysis.build import Build
from make_metrics.analysis.plan import Plan
from make_metrics.analysis.schedule import UNLIMITED
from make_metrics.analysis.what_if import Gain, WhatIf
from make_metrics.dataclass import dataclass
from make_metrics.report import markdown
from make_metrics.report.rows import jobs_text
from make_metrics.report.run.summary import HEADING, label, time_of
from make_metrics.report.screen import Part, name

VERSION = 1
FIELDS = ("run", "id", "jobs", "duration_us", "at_best", "target", "directory", "own_us", "saved_us")


@dataclass(frozen=True, slots=True)
class Estimates:
    """What there is to show: a run, its short name, its plan, and the estimates for it."""

    build: Build
    short_name: str
    plan: Plan
    what_if: WhatIf

    def at_best(self, jobs: int) -> bool:
        """Whether the estimate for a number of jobs is only the least: what targets wait for may be unknown."""
        recorded = self.what_if.recorded_jobs
        more = recorded != UNLIMITED and (jobs == UNLIMITED or jobs > recorded)
        return more and self.plan.knowledge.unknown > 0

    @property
    def basis(self) -> str:
        """How it is known what targets wait for, and how good that is."""
        knowledge, count = self.plan.knowledge, len(self.build.targets)
        if not knowledge.unknown and not knowledge.inferred:
            return "What targets wait for is known from their prerequisites."
        if not knowledge.unknown:
            return (
                "What targets wait for is known from their prerequisites; "
                f"for {knowledge.inferred} of {count} a part is inferred."
            )
        if knowledge.unknown == count and self.plan.pools[0].limit == 1:
            return (
                "What targets wait for is not known, and they ran one at a time: with more jobs the run takes at least "
                "as long as said. A run with make -j tells more."
            )
        return (
            f"What targets wait for is known for {knowledge.known} of {count}; for the others times tell, as far as "
            "job slots were free. With more jobs than this run had, it takes at least as long as said."
        )


def lines(estimates: Estimates) -> Iterator[Sequence[Part]]:
    """The lines for people."""
    what_if, build = estimates.what_if, estimates.build
    took = f" took {time_of(what_if.recorded_us)} with {jobs_text(what_if.recorded_jobs)}"
    yield [
        Part(f"run {estimates.short_name}", HEADING),
        Part("  make "),
        name(" ".join(build.makes[0].goals) or "-"),
        Part(took),
    ]
    yield [Part(f"Estimated again for {jobs_text(what_if.recorded_jobs)}: {time_of(what_if.again_us)}")]
    yield []
    yield [Part("With", HEADING), Part("      it would take")]
    for jobs, duration_us in what_if.estimates_us.items():
        yield [Part(f"{jobs_text(jobs):<9} {time_of(duration_us):>9}{'  at best' if estimates.at_best(jobs) else ''}")]
    yield [Part(f"{'any':<9} {time_of(what_if.bound_us):>9}  "), Part("at least: the critical path")]
    yield []
    yield [Part(estimates.basis)]
    yield []
    if not what_if.gains:
        yield [Part("No target alone would make it shorter, if it took half.")]
        return
    yield [Part("Speed up or split first", HEADING), Part(f", with {jobs_text(what_if.recorded_jobs)}")]
    for gain in what_if.gains:
        share = f"{100 * gain.saved_us / max(1, what_if.again_us):.0f}%"
        target = name(label(build, gain.target))
        yield [Part(f"{time_of(gain.saved_us):>9}  {share:>4}  "), target, Part(f"  (half of {time_of(gain.work_us)})")]


def markdown_lines(estimates: Estimates) -> Iterator[str]:
    """The lines of Markdown."""
    what_if, build = estimates.what_if, estimates.build
    goals = markdown.code(" ".join(("make", *build.makes[0].goals)))
    yield f"### {goals} took {time_of(what_if.recorded_us)} with {jobs_text(what_if.recorded_jobs)}"
    yield ""
    rows = [
        (markdown.code(jobs_text(jobs)), time_of(us) + (" at best" if estimates.at_best(jobs) else ""))
        for jobs, us in what_if.estimates_us.items()
    ]
    yield from markdown.table(("With", ">it would take"), [*rows, ("any number", time_of(what_if.bound_us))])
    yield ""
    yield estimates.basis
    if what_if.gains:
        yield ""
        gains = [
            (markdown.code(label(build, gain.target)), time_of(gain.work_us), time_of(gain.saved_us))
            for gain in what_if.gains
        ]
        yield from markdown.table(("Speed up or split first", ">own time", ">half of it saves"), gains)


def document(estimates: Estimates) -> dict[str, Any]:
    """The estimates as a JSON document. Times are microseconds; `jobs` is 0 for no limit."""
    what_if, build, knowledge = estimates.what_if, estimates.build, estimates.plan.knowledge
    return {
        "version": VERSION,
        "run": estimates.short_name,
        "id": build.id,
        "duration_us": what_if.recorded_us,
        "jobs": what_if.recorded_jobs,
        "estimated_again_us": what_if.again_us,
        "estimates": [
            {"jobs": jobs, "duration_us": us, "at_best": estimates.at_best(jobs)}
            for jobs, us in what_if.estimates_us.items()
        ],
        "critical_path_us": what_if.bound_us,
        "targets": len(build.targets),
        "with_known_prerequisites": knowledge.known,
        "with_inferred_prerequisites": knowledge.inferred,
        "gains": [_gain(build, gain) for gain in what_if.gains],
    }


def records(estimates: Estimates) -> list[dict[str, Any]]:
    """A row for each duration that is estimated: with a number of jobs, or where one target took half of its time.

    `jobs` is 0 for no limit; a row without a target is for the run as it was.
    """
    what_if, build = estimates.what_if, estimates.build
    shared: dict[str, Any] = {"run": estimates.short_name, "id": build.id}
    whole = dict.fromkeys(("target", "directory", "own_us", "saved_us"))
    of_jobs = [
        {**shared, **whole, "jobs": jobs, "duration_us": us, "at_best": estimates.at_best(jobs)}
        for jobs, us in what_if.estimates_us.items()
    ]
    halved = {**shared, "jobs": what_if.recorded_jobs, "at_best": False}
    of_targets = [
        {**halved, **_gain(build, gain), "duration_us": what_if.again_us - gain.saved_us} for gain in what_if.gains
    ]
    return of_jobs + of_targets


def _gain(build: Build, gain: Gain) -> dict[str, Any]:
    target = build.targets[gain.target]
    return {
        "target": target.name,
        "directory": build.makes[target.make].directory or None,
        "own_us": gain.work_us,
        "saved_us": gain.saved_us,
    }
