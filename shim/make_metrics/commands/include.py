"""`make-metrics include`: print the path of the installed fragment, to include or copy it."""

from __future__ import annotations

import argparse
import sys

from make_metrics.setup import fragment


def run(given: argparse.Namespace) -> int:  # noqa: ARG001
    """Print the path; 0. Raises UserError if the installation has no fragment."""
    sys.stdout.write(f"{fragment.source()}\n")
    return 0
