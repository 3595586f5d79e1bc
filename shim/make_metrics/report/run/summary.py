"""One run for people and for programs: the text, the Markdown and the JSON of `make-metrics last`. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from make_metrics.analysis.build import UNKNOWN_JOBS, Build
from make_metrics.analysis.findings import Findings
from make_metrics.analysis.schedule import Step
from make_metrics.combine.event import timestamp
from make_metrics.dataclass import dataclass
from make_metrics.report import markdown
from make_metrics.report.local_time import local_time
from make_metrics.report.rows import duration, jobs_text
from make_metrics.report.screen import Part, name

VERSION = 1
FIELDS = (
    "run", "id", "target", "directory", "make", "goal", "start_us", "end_us", "own_us", "exit_status", "cpu_us",
    "peak_kib", "critical",
)  # fmt: skip
_STEPS = _SLOWEST = 8  # lines on one screen
FAILED = "bold red"
DIM = "dim"
HEADING = "bold"


@dataclass(frozen=True, slots=True)
class Run:
    """What there is to show of a run: it, its short name, and the findings about it."""

    build: Build
    short_name: str
    findings: Findings

    def label(self, target: int) -> str:
        """A target's name, with the directory of its make if it is not that of the top make."""
        return label(self.build, target)


def label(build: Build, target: int) -> str:
    """A target's name, with the directory of its make in brackets if that is not the top make's."""
    made = build.targets[target]
    top, directory = build.makes[0].directory, build.makes[made.make].directory
    if not directory or directory == top:
        return made.name
    inside = directory.removeprefix(top.rstrip("/") + "/") if top else directory
    return f"{made.name} ({inside})"


def time_of(us: int) -> str:
    """Microseconds as a duration for people."""
    return duration((us + 500) // 1_000)


def ending(status: int) -> str:
    """How something ended, by its exit status: `status 2`, `signal 15`."""
    return "passed" if not status else f"signal {-status}" if status < 0 else f"status {status}"


def ending_of(build: Build) -> str:
    """How a run ended, as far as recipes show it: make may also fail where no recipe runs."""
    if build.unseen_goals:
        return f"unknown, as nothing ran for {' '.join(build.unseen_goals)}"
    return ending(build.status) if build.status else "no recipe failed"


def shown_steps(path: Sequence[Step], count: int) -> list[Step | list[Step]]:
    """The `count` longest steps of a path in their order; the steps in between stand in lists."""
    longest = set(sorted(range(len(path)), key=lambda at: (-path[at].own_us, at))[:count])
    shown: list[Step | list[Step]] = []
    for at, step in enumerate(path):
        if at in longest:
            shown.append(step)
        elif shown and isinstance(shown[-1], list):
            shown[-1].append(step)
        else:
            shown.append([step])
    return shown


def lines(run: Run) -> Iterator[Sequence[Part]]:
    """The lines for people."""
    build, findings = run.build, run.findings
    top = build.makes[0]
    ended = Part(ending_of(build), FAILED if build.status else "" if build.unseen_goals else "green")
    took = f" took {time_of(build.duration_us)}: "
    yield [Part(f"run {run.short_name}", HEADING), Part("  make "), name(" ".join(top.goals) or "-"), Part(took), ended]
    facts = [local_time(build.started_ns)]
    if build.commit:
        facts.append(f"commit {build.commit[:10]}" + (f" ({build.branch})" if build.branch else ""))
    if top.version:
        facts.append(f"make {top.version}")
    yield [Part(f"  {', '.join(facts)}, in ", DIM), name(top.directory or "-", DIM)]
    yield [Part(f"  {time_of(findings.before_us)} before the first recipe line: make started and read its makefiles")]
    yield [
        Part(f"  {jobs_text(top.jobs)}: {findings.average:.1f} jobs ran at once on average, {findings.most} at most")
    ]
    if findings.failed:
        yield []
        yield [Part("Failed", FAILED)]
        for index in findings.failed[:_SLOWEST]:
            target = build.targets[index]
            after = time_of(target.end_us - target.start_us)
            yield [Part(f"{after:>9}  "), name(run.label(index), FAILED), Part(f"  {ending(target.status)}", FAILED)]
        if len(findings.failed) > _SLOWEST:
            yield [Part(f"           and {len(findings.failed) - _SLOWEST} more")]
    yield []
    yield from _path_lines(run)
    yield []
    yield [Part("Slowest targets", HEADING), Part(", each without the makes that it starts")]
    for index in findings.slowest[:_SLOWEST]:
        share = _share(findings.work_us[index], build.duration_us)
        style = FAILED if build.targets[index].status else ""
        yield [Part(f"{time_of(findings.work_us[index]):>9}  {share:>4}  "), name(run.label(index), style)]
    if not build.targets:
        yield [Part("  no recipe ran", DIM)]


def _path_lines(run: Run) -> Iterator[Sequence[Part]]:
    findings, build = run.findings, run.build
    if not findings.path:
        yield [Part("Critical path", HEADING), Part(": not known")]
        if build.targets:
            yield [Part("  This run did one thing at a time, and what its targets wait for is not kept: try make -j.")]
        return
    total = f": {path_time(run)} of {time_of(build.duration_us)}{inferred(run)}"
    yield [Part("Critical path", HEADING), Part(total)]
    yield [Part(f"{time_of(findings.before_us):>9}  "), Part("before the first line", DIM)]
    for step in shown_steps(findings.path, _STEPS):
        if isinstance(step, list):
            own_us = sum(each.own_us for each in step)
            yield [Part(f"{time_of(own_us):>9}  "), Part(f"{len(step)} more", DIM)]
        else:
            style = FAILED if build.targets[step.target].status else ""
            yield [Part(f"{time_of(step.own_us):>9}  {'  ' * min(step.depth, 5)}"), name(run.label(step.target), style)]


def path_time(run: Run) -> str:
    """How long the critical path is, with "at least" where it may be longer."""
    return f"{'at least ' * run.findings.path_at_least}{time_of(run.findings.path_us)}"


def inferred(run: Run) -> str:
    """What follows the time of a critical path that times had to tell."""
    return ", inferred from times" if run.findings.path_inferred else ""


def _share(part_us: int, whole_us: int) -> str:
    return f"{100 * part_us / whole_us:.0f}%" if whole_us else "-"


def markdown_lines(run: Run) -> Iterator[str]:
    """The lines of Markdown, for a pull request or the summary of a CI job."""
    build, findings = run.build, run.findings
    top = build.makes[0]
    goals = markdown.code(" ".join(("make", *top.goals)))
    yield f"### {goals} took {time_of(build.duration_us)}: {ending_of(build)}"
    yield ""
    yield (
        f"{jobs_text(top.jobs)}, {findings.average:.1f} jobs at once on average; "
        f"{time_of(findings.before_us)} before the first recipe line."
    )
    if findings.failed:
        yield ""
        failed = ((markdown.code(run.label(index)), ending(build.targets[index].status)) for index in findings.failed)
        yield from markdown.table(("Failed", "with"), failed)
    if findings.path:
        yield ""
        heading = f"Critical path ({path_time(run)}{inferred(run)})"
        steps = [step for step in shown_steps(findings.path, _STEPS) if isinstance(step, Step)]
        cells = ((markdown.code(run.label(step.target)), time_of(step.own_us)) for step in steps)
        yield from markdown.table((heading, ">time"), cells)
    if build.targets:
        yield ""
        slowest = ((markdown.code(run.label(index)), time_of(findings.work_us[index]),
                    _share(findings.work_us[index], build.duration_us))
                   for index in findings.slowest[:_SLOWEST])  # fmt: skip
        yield from markdown.table(("Slowest targets", ">own time", ">of the whole"), slowest)


def document(run: Run) -> dict[str, Any]:
    """The run as a JSON document. Times are microseconds; `jobs` is 0 without a limit, null if unknown."""
    build, findings = run.build, run.findings
    top = build.makes[0]
    return {
        "version": VERSION,
        "run": run.short_name,
        "id": build.id,
        "start_time": timestamp(build.started_ns),
        "duration_us": build.duration_us,
        "exit_status": build.exit_status,
        "unseen_goals": list(build.unseen_goals),
        "goals": list(top.goals),
        "directory": top.directory or None,
        "commit": build.commit or None,
        "branch": build.branch or None,
        "make_version": top.version or None,
        "jobs": None if top.jobs == UNKNOWN_JOBS else top.jobs,
        "average_jobs": round(findings.average, 3),
        "most_jobs": findings.most,
        "before_first_line_us": findings.before_us,
        "critical_path": _path_document(run),
        "targets": [_target_document(run, index) for index in findings.slowest],
    }


def records(run: Run) -> list[dict[str, Any]]:
    """A row for each target, as the document has them; `critical` is null where no critical path is known."""
    critical = {step.target for step in run.findings.path}
    shared = {"run": run.short_name, "id": run.build.id}
    return [
        {**shared, **_target_document(run, index), "critical": index in critical if critical else None}
        for index in run.findings.slowest
    ]


def _path_document(run: Run) -> dict[str, Any] | None:
    findings = run.findings
    if not findings.path:
        return None
    steps = [{**_place(run, step.target), "own_us": step.own_us, "depth": step.depth} for step in findings.path]
    return {
        "duration_us": findings.path_us,
        "inferred": findings.path_inferred,
        "at_least": findings.path_at_least,
        "steps": steps,
    }


def _place(run: Run, index: int) -> dict[str, Any]:
    target = run.build.targets[index]
    make = run.build.makes[target.make]
    return {"target": target.name, "directory": make.directory or None, "make": target.make}


def _target_document(run: Run, index: int) -> dict[str, Any]:
    target = run.build.targets[index]
    return {
        **_place(run, index),
        "goal": target.is_goal,
        "start_us": target.start_us,
        "end_us": target.end_us,
        "own_us": run.findings.work_us[index],
        "exit_status": target.status,
        "cpu_us": target.cpu_us,
        "peak_kib": target.peak_kib,
    }
