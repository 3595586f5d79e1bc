"""What the commands that show declarations have in common: the metrics that a project asks for."""

from __future__ import annotations

from make_metrics.commands.warn import warn
from make_metrics.files.paths import Paths
from make_metrics.metrics import catalogue
from make_metrics.project.project import Project
from make_metrics.properties.property import Property
from make_metrics.properties.registry import OPTIONAL


def refresh_metrics(paths: Paths, project: Project, *, forget: bool = False) -> None:
    """Load the metrics of other distributions that a project asks for anew; a line on standard error for each problem.

    With `forget`, a metric that is no longer installed leaves the notice.
    """
    names = project.settings.metrics if project.settings else ()
    for name, metric in catalogue.refresh(paths, names, forget=forget).items():
        if metric.problem:
            warn([f"the metric {name} {metric.problem}"])


def metrics(project: Project) -> tuple[Property, ...]:
    """All built-in metrics, and those of other distributions that the project asks for; problems to standard error."""
    if project.settings is None:
        return OPTIONAL
    paths = Paths.from_environment()
    refresh_metrics(paths, project)
    asked_for = catalogue.declarations(paths, project.settings.metrics)
    return (*OPTIONAL, *(entry for entry in asked_for if entry.provider))
