"""`make-metrics what-if`: print what a run would take with other numbers of jobs, and what holds it up."""

from __future__ import annotations

import argparse
import re

from make_metrics.analysis.run_name import age
from make_metrics.analysis.schedule import UNLIMITED
from make_metrics.analysis.what_if import JOBS, what_if
from make_metrics.commands.chosen_run import chosen_run, plan_of
from make_metrics.errors import UsageError, UserError
from make_metrics.report import formats
from make_metrics.report.formats import write_page
from make_metrics.report.run import what_if as report

_MOST = 100_000
_NAME = re.compile(r"[0-9a-f]{4,12}")


def run(given: argparse.Namespace) -> int:
    """Print the estimates as text, JSON, CSV or Markdown; 0.

    Raises UserError if there is no such run, or if no recipe ran in it; UsageError for a bad number of jobs.
    """
    jobs = [_jobs(text) for text in given.jobs] if given.jobs else JOBS
    build, name = chosen_run(given)
    if not build.targets:
        raise UserError(f"no recipe ran in run {name}: there is nothing to estimate")
    plan = plan_of(build)
    estimates = report.Estimates(build, name, plan, what_if(build, plan, jobs))
    write_page(formats.JSON if given.json else given.format, estimates, report)
    return 0


def _jobs(text: str) -> int:
    if text == "unlimited":
        return UNLIMITED
    if text.isascii() and text.isdigit() and 0 < int(text[:9]) <= _MOST and len(text) < 9:
        return int(text)
    hint = " (the run's name goes before -j)" if age(text) is not None or _NAME.fullmatch(text) else ""
    raise UsageError(f"-j {text!r}: give numbers of jobs, such as -j 2 4, or unlimited{hint}")
