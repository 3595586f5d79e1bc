"""`make-metrics setup`: write the user's fragment, and say which line to add to a Makefile."""

from __future__ import annotations

import argparse
import sys

from make_metrics.files.paths import Paths
from make_metrics.setup import fragment
from make_metrics.setup.renewal import set_up


def run(given: argparse.Namespace) -> int:  # noqa: ARG001
    """Write the fragment and print the line on standard output; 0. Raises UserError if it cannot be written."""
    paths = Paths.from_environment()
    set_up(paths)
    sys.stderr.write("This line at the end of a Makefile has its targets measured, and does nothing for others:\n")
    sys.stdout.write(f"{fragment.include_line(paths)}\n")
    return 0
