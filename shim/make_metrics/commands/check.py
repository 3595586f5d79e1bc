"""`make-metrics check`: what is wrong with a project's settings file, for continuous integration."""

from __future__ import annotations

import argparse

from make_metrics.commands.project import project_at
from make_metrics.commands.prose import CONTINUED, show
from make_metrics.commands.warn import warn
from make_metrics.errors import UserError
from make_metrics.files.paths import printable_path
from make_metrics.project.settings import NAME
from make_metrics.project.settings_file import CLEAR_TEXT
from make_metrics.sinks.kinds import BUILT_IN, lacks


def run(given: argparse.Namespace) -> int:
    """Print what is wrong with make-metrics.toml, a line each with its key; 0, or 1 if anything is.

    A library that is missing on this machine is a note, and so is a receiver in clear text that its user does not
    allow: neither is a fault of the file. Raises UserError without a file.
    """
    project = project_at(given.directory)
    path = project.directory / NAME
    if not project.problems and project.settings is None:
        raise UserError(f"{printable_path(path)} does not exist: make-metrics init writes one")
    # Only for kinds that are here: a kind that is not installed may be one that is misspelt.
    missing = tuple(f": {words}" for name in BUILT_IN if (words := lacks(name)))
    # Clear text is for each contributor to allow.
    notes = [
        problem
        for problem in project.problems
        if (missing and problem.endswith(missing)) or f": {CLEAR_TEXT}" in problem
    ]
    faults = [problem for problem in project.problems if problem not in notes]
    warn([*notes, *faults])
    if faults:
        return 1
    count = len(project.sinks)
    receivers = f"{count} receiver{'s' * (count != 1)}" if count else "no receiver: nothing will be sent"
    show(f"{printable_path(path)}: no faults, {receivers}", hanging=CONTINUED)
    return 0
