"""`make-metrics last`: print what the newest run says. See `commands.run`."""

from __future__ import annotations

import argparse

from make_metrics.commands import run as run_command


def run(given: argparse.Namespace) -> int:
    """Print the newest run; 0. Raises UserError if there is none."""
    given.which = "last"
    return run_command.run(given)
