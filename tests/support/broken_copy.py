"""Copies of the package with one thing broken, and projects that use them: how our own code is made to fail."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from make_metrics.crashes import log as crash_log
from make_metrics.crashes.report import Entry
from tests.support.project import ROOT, SOURCE, Project


def broken(folder: Path, name: str, old: str, new: str) -> Path:
    """A copy of the package (one for all calls) in which a piece of a module's text is another; its folder."""
    copy = folder / "copy"
    if not copy.exists():
        shutil.copytree(SOURCE, copy / "shim", ignore=shutil.ignore_patterns("__pycache__"))
    place = copy / "shim/make_metrics" / name
    text = place.read_text()
    assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
    place.write_text(text.replace(old, new))
    return copy


def use(project: Project, copy: Path) -> None:
    """Have a project's makefiles run the shim of a copy."""
    text = project.paths.fragment.read_text()
    project.paths.fragment.write_text(text.replace(f"{ROOT}/shim", f"{copy}/shim"))


def command(project: Project, copy: Path, *words: str, **environ: str) -> Any:
    """Run a command of a copy."""
    env = {**project.environment(), "PYTHONPATH": str(copy / "shim"), **environ}
    return project.run([sys.executable, "-m", "make_metrics", *words], env=env)


def log(project: Project) -> list[Entry]:
    """What is in the log of failures, the latest first."""
    return crash_log.entries(project.paths)
