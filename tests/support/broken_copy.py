"""Copies of the package with something broken, and projects that use them: how our own code is made to fail."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from make_metrics.crashes import log as crash_log
from make_metrics.crashes.report import LogEntry
from tests.support.mutation import Mutation, constant_is, function_begins, mutate
from tests.support.project import ROOT, SOURCE, Project

RECORDER_FAILS = "hot/recorder.py", function_begins("Recorder.__init__", "{}[words[1].target]")


def copy_package(folder: Path) -> Path:
    """A folder with a copy of the package in its `shim`, the same for all calls; compiled modules are left behind."""
    copy = folder / "copy"
    if not copy.exists():
        shutil.copytree(SOURCE, copy / "shim", ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def break_module(folder: Path, name: str, mutation: Mutation) -> Path:
    """Break a module of the copy of the package in a folder; the copy."""
    copy = copy_package(folder)
    mutate(copy / "shim/make_metrics" / name, mutation)
    return copy


def mend_module(copy: Path, name: str) -> None:
    """Put a module of a copy back as it was."""
    shutil.copyfile(SOURCE / "make_metrics" / name, copy / "shim/make_metrics" / name)


def use_copy(project: Project, copy: Path) -> None:
    """Have a project's makefiles run the shim of a copy."""
    project.edit_fragment(f"{ROOT}/shim", f"{copy}/shim")


def without_proc(project: Project, folder: Path) -> Project:
    """The project with a copy of the shim that finds no /proc, as on a Mac."""
    use_copy(project, break_module(folder, "hot/procfs.py", constant_is("PROC", "b'/nowhere'")))
    return project


def run_command(project: Project, copy: Path, *words: str, **environ: str) -> Any:
    """Run a command of a copy in a project; what `subprocess.run` gives."""
    env = {**project.environment(), "PYTHONPATH": str(copy / "shim"), **environ}
    return project.run([sys.executable, "-m", "make_metrics", *words], env=env)


def logged_failures(project: Project) -> list[LogEntry]:
    """The entries in the log of failures, the latest first."""
    return crash_log.entries(project.paths)
