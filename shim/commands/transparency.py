"""`make-metrics transparency`: the page that says everything, for a project."""

from __future__ import annotations

import sys

from shim import transparency
from shim.commands.asked import metrics
from shim.commands.here import project_at, tell


def run(*, directory: str | None) -> int:
    """Print the page as Markdown; 0. Raises UserError for a bad directory or home."""
    project = project_at(directory)
    tell(project.problems)
    names = project.settings.metrics if project.settings else ()
    asked = [entry for entry in metrics(project) if entry.name in names]
    sys.stdout.write(transparency.page(project.settings, asked))
    return 0
