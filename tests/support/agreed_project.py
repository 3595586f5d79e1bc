"""A project whose events may be sent, without a question that was asked."""

from __future__ import annotations

from pathlib import Path

from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import ensure_id
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project, project_of
from tests.support.records import WALL_NS
from tests.support.settings_files import FULL_SETTINGS, write_settings


def agreed_project(folder: Path, paths: Paths, *, more: str = "") -> Project:
    """A project in a folder whose Makefile spells `all`, `a`, `b` and `c`; its yes is older than the tests' lines.

    `more` is added to its settings.
    """
    write_settings(folder, FULL_SETTINGS + more)
    if not (folder / "Makefile").exists():
        (folder / "Makefile").write_text("all a b c: ;\n")
    project = project_of(folder)
    with consent.lock(paths):
        ensure_id(paths, project)
        consent.write_decision(paths, project, yes=True, now_ns=WALL_NS)
    return project
