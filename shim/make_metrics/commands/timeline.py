"""`make-metrics timeline`: write a run as one HTML file, and open it."""

from __future__ import annotations

import argparse
import pkgutil
import sys
import webbrowser
from pathlib import Path

from make_metrics.analysis.findings import findings
from make_metrics.commands.chosen_run import chosen_run, plan_of
from make_metrics.commands.output_file import write_output
from make_metrics.errors import UserError
from make_metrics.report.run import timeline
from make_metrics.report.run.summary import Run

_FOLDER = "make_metrics.report.run"


def run(given: argparse.Namespace) -> int:
    """Write the timeline; 0.

    Raises UserError if there is no such run, if the file cannot be written, or if no browser can be started.
    """
    build, name = chosen_run(given)
    output = f"make-timeline-{name}.html" if given.output is None else given.output
    if output == "-" and given.open:
        raise UserError("--open needs a file: leave out -o -")
    pieces = timeline.page(
        Run(build, name, findings(build, plan_of(build))),
        script=_package_text("timeline.js"),
        style=_package_text("timeline.css") + _package_text("timeline_page.css"),
    )
    write_output(output, pieces)
    if output != "-":
        sys.stdout.write(f"{output}\n")
    if given.open and not webbrowser.open(Path(output).resolve().as_uri()):
        raise UserError(f"no browser could be started: open {output} in one")
    return 0


def _package_text(name: str) -> str:
    content = pkgutil.get_data(_FOLDER, name)
    return (content or b"").decode()
