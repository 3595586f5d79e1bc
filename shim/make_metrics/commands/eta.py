"""`make-metrics eta`: how long a run of make will likely take, or still take."""

from __future__ import annotations

import argparse
import time

from make_metrics.combine.record import Make
from make_metrics.combine.summary import Summary
from make_metrics.commands.project import project_at
from make_metrics.commands.prose import show
from make_metrics.commands.reading import combined_store
from make_metrics.commands.warn import warn
from make_metrics.commands.why_empty import why_empty
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.report import formats
from make_metrics.report.many import estimate as report
from make_metrics.sweep.running import is_in, running_makes

_LOOKED_AT = 2_000  # runs of the project, the newest


def run(given: argparse.Namespace) -> int:
    """Print the estimate as text, JSON, CSV or Markdown; 0.

    Raises UserError if no run of the project had these goals.
    """
    project = project_at(given.directory)
    warn(project.problems)
    with combined_store() as store:
        summaries = store.runs(newest=_LOOKED_AT, within=project.path)[::-1]
    running = [make for make in running_makes(Paths.from_environment()) if is_in(make.directory, project.path)]
    goals = tuple(given.goals) or _asked_last(summaries, running)
    now = next((make for make in reversed(running) if make.goals == goals), None)
    durations_ms = _durations_ms(summaries, goals, now)
    if not durations_ms:
        if not summaries:
            raise UserError(f"no run of this project is recorded yet: {why_empty(Paths.from_environment())}")
        raise UserError(f"no run of this project was make {' '.join(goals)}: make-metrics runs lists them")
    running_ms = None if now is None else max((time.time_ns() - now.wall_ns) // 1_000_000, 0)
    estimate = report.estimate(goals, durations_ms, running_ms=running_ms)
    form = formats.JSON if given.json else given.format
    if form == formats.JSON:
        formats.write_json(report.document(estimate))
    elif form == formats.CSV:
        formats.write_csv(report.FIELDS, [report.document(estimate)])
    elif form == formats.MARKDOWN:
        formats.write_lines(form, [report.parts(estimate)])
    else:
        show(report.text(estimate))
    return 0


def _asked_last(summaries: list[Summary], running: list[Make]) -> tuple[str, ...]:
    """The goals of the make that runs, else of the newest run."""
    return running[-1].goals if running else summaries[0].goals if summaries else ()


def _durations_ms(summaries: list[Summary], goals: tuple[str, ...], now: Make | None) -> list[int]:
    """The durations of the newest runs that are like the asked one: with these goals, and best without a failure.

    Of a make that runs, those with its number of jobs are taken, if there are any.
    """
    alike = [summary for summary in summaries if summary.goals == goals]
    alike = [summary for summary in alike if not summary.exit_status] or alike
    if now is not None:
        alike = [summary for summary in alike if summary.jobs == now.jobs] or alike
    return [summary.duration_ms for summary in alike[: report.MOST_RUNS]]
