"""`make-metrics trace`: write a run for Perfetto and Chrome's tracing."""

from __future__ import annotations

import argparse
import sys

from make_metrics.commands.chosen_run import chosen_run
from make_metrics.commands.output_file import write_output
from make_metrics.report.run import trace


def run(given: argparse.Namespace) -> int:
    """Write the trace; 0. Raises UserError if there is no such run, or if the file cannot be written."""
    build, name = chosen_run(given)
    write_output(given.output, trace.text(build, name))
    if given.output != "-":
        targets = f"{len(build.targets)} target{'s' * (len(build.targets) != 1)}"
        sys.stderr.write(f"{given.output}: run {name}, {targets}; https://ui.perfetto.dev opens it\n")
    return 0
