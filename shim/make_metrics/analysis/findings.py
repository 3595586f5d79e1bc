"""What one run says in short: failures, jobs, the critical path, the slowest targets. Pure."""

from __future__ import annotations

from make_metrics.analysis.build import NO_LIMIT, Build
from make_metrics.analysis.plan import Plan
from make_metrics.analysis.running import running_jobs
from make_metrics.analysis.schedule import Step, critical_path
from make_metrics.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Findings:
    """Findings about one run; targets are indices of `Build.targets`.

    `before_us` is make's own time before its first line. `average` is how many jobs ran at once on average while any
    could, `most` at most. `path` is the critical path, empty if nothing is known of what targets wait for.
    `path_inferred`: times had to tell a part of it. `path_at_least`: what some targets wait for is unknown, so that it
    may be longer. `slowest` has all targets, the longest own work first. `work_us` is the own work of each target:
    without make's and without the makes that it starts.
    """

    before_us: int
    average: float
    most: int
    failed: tuple[int, ...]
    path: tuple[Step, ...]
    path_us: int
    path_inferred: bool
    path_at_least: bool
    slowest: tuple[int, ...]
    work_us: tuple[int, ...]


def findings(build: Build, plan: Plan) -> Findings:
    """The findings about a run."""
    running = running_jobs(build)
    while_running_us = max(1, build.duration_us - plan.begin_us)
    work_us = tuple(min(job.work_us, target.end_us - target.start_us)
                    for job, target in zip(plan.jobs, build.targets, strict=True))  # fmt: skip
    knowledge, count = plan.knowledge, len(build.targets)
    limit = plan.pools[0].limit
    nothing_known = limit == 1 and knowledge.unknown == count > 1
    path = () if nothing_known else tuple(critical_path(plan))
    return Findings(
        before_us=plan.begin_us,
        average=running.work_us / while_running_us,
        most=running.most if build.targets else 0,
        failed=tuple(index for index, target in enumerate(build.targets) if target.status),
        path=path,
        path_us=plan.begin_us + sum(step.own_us for step in path) if path else 0,
        path_inferred=bool(knowledge.inferred) or knowledge.known < count > 1,
        path_at_least=knowledge.unknown > 0 and count > 1 and limit != NO_LIMIT,
        slowest=tuple(sorted(range(count), key=lambda index: (-work_us[index], index))),
        work_us=work_us,
    )
