"""`make-metrics run` and `make-metrics last`: print what one run says, on one screen."""

from __future__ import annotations

import argparse
import json
import sys

from make_metrics.analysis.findings import findings
from make_metrics.commands.chosen_run import chosen_run, plan_of
from make_metrics.report.run import summary as report
from make_metrics.report.screen import show


def run(given: argparse.Namespace) -> int:
    """Print the run as text, JSON or Markdown; 0. Raises UserError if there is no such run."""
    build, name = chosen_run(given)
    found = report.Run(build, name, findings(build, plan_of(build)))
    if given.format == "json":
        sys.stdout.write(json.dumps(report.document(found), indent=2) + "\n")
    elif given.format == "markdown":
        sys.stdout.write("".join(f"{line}\n" for line in report.markdown_lines(found)))
    else:
        show(report.lines(found))
    return 0
