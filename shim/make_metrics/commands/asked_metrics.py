"""What the commands that show declarations have in common: which metrics a project may be told of."""

from __future__ import annotations

from make_metrics.commands.project import tell
from make_metrics.files.paths import Paths
from make_metrics.metrics import catalogue
from make_metrics.project.project import Project
from make_metrics.properties.property import Property
from make_metrics.properties.registry import OPTIONAL


def metrics(project: Project) -> tuple[Property, ...]:
    """All that are built in, and those of other distributions that the project asks for, which are loaded anew.

    Says on standard error why one is not among them.
    """
    if project.settings is None:
        return OPTIONAL
    paths, names = Paths.from_environment(), project.settings.metrics
    found = catalogue.refresh(paths, names)
    tell(f"the metric {name} {known.problem}" for name, known in found.items() if known.problem)
    return (*OPTIONAL, *(entry for entry in catalogue.declarations(paths, names) if entry.provider))
