"""`make-metrics transparency`: print a project's transparency page."""

from __future__ import annotations

import argparse
import sys

from make_metrics.commands.asked_metrics import metrics
from make_metrics.commands.project import project_at
from make_metrics.commands.warn import warn
from make_metrics.report import transparency_page


def run(given: argparse.Namespace) -> int:
    """Print the page as Markdown; 0. Raises UserError for a bad directory or home."""
    project = project_at(given.directory)
    warn(project.problems)
    names = project.settings.metrics if project.settings else ()
    asked_for = [entry for entry in metrics(project) if entry.name in names]
    sys.stdout.write(transparency_page.page(project.settings, asked_for))
    return 0
