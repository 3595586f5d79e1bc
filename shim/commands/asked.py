"""What the commands that show declarations have in common: which metrics a project may be told of."""

from __future__ import annotations

from shim.commands.here import tell
from shim.metrics import catalogue
from shim.paths import Paths
from shim.property import Property
from shim.registry import OPTIONAL
from shim.settings import Project


def metrics(project: Project) -> tuple[Property, ...]:
    """All that are built in, and those of other distributions that the project asks for, which are loaded anew.

    Says on standard error why one is not among them.
    """
    if project.settings is None:
        return OPTIONAL
    paths, names = Paths.from_environment(), project.settings.metrics
    found = catalogue.refresh(paths, names)
    tell(f"the metric {name} {known.problem}" for name, known in found.items() if known.problem)
    return (*OPTIONAL, *(entry for entry in catalogue.asked(paths, names) if entry.provider))
