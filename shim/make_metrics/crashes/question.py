"""The question whether failures of make-metrics may be reported."""

from __future__ import annotations

from make_metrics.consent.consent import Question
from make_metrics.crashes import notice
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project


def _notice_version(_: Paths, project: Project) -> str:
    return notice.version(project.settings) if project.crash_dsn and project.settings else ""


CRASHES = Question(
    directory=lambda paths: paths.crash_decisions,
    notice_version=_notice_version,
    receivers=lambda project: (f"sentry {project.crash_dsn.host}",) if project.crash_dsn else (),
    commands=("crash-reports on", "crash-reports off"),
)
