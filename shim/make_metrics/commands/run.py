"""`make-metrics run` and `make-metrics last`: print what one run says, on one screen."""

from __future__ import annotations

import argparse

from make_metrics.analysis.findings import findings
from make_metrics.commands.chosen_run import chosen_run, plan_of
from make_metrics.report import formats
from make_metrics.report.formats import write_page
from make_metrics.report.run import summary as report


def run(given: argparse.Namespace) -> int:
    """Print the run as text, JSON, CSV or Markdown; 0. Raises UserError if there is no such run."""
    build, name = chosen_run(given)
    shown_run = report.Run(build, name, findings(build, plan_of(build)))
    write_page(formats.JSON if given.json else given.format, shown_run, report)
    return 0
