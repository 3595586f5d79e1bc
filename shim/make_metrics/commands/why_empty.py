"""Why there is nothing to report yet, and what to do: a few cheap checks. `make-metrics doctor` looks closer."""

from __future__ import annotations

import os
import re

from make_metrics.commands.project import project_at
from make_metrics.consent import consent
from make_metrics.consent.mode import Mode
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path
from make_metrics.setup import makefile

_INCLUDES = re.compile(rb"^ *-?s?include\b", re.MULTILINE)


def why_empty(paths: Paths) -> str:
    """The likeliest reason why nothing was recorded, seen from the current directory, with the remedy; no full stop."""
    if not paths.fragment.exists():
        return "make-metrics is not set up: run make-metrics setup --add beside a Makefile, then make"
    ruling = consent.status_of(paths, project_at(None), os.environ).ruling
    if ruling.mode is Mode.OFF:
        return f"nothing is recorded here: {ruling.reason}"
    if obstacle := _state_obstacle(paths):
        return obstacle
    try:
        path = makefile.find_makefile("")
        content = path.read_bytes()
    except UserError:
        return "run make in a project whose Makefile has the include line (make-metrics setup --add adds it)"
    except OSError as error:
        return f"{printable_path(path)} cannot be read: {error.strerror}"
    # Where it includes other makefiles, one of those may have the line.
    if not makefile.has_line(content) and not _INCLUDES.search(content):
        return f"the {path.name} here has no include line: make-metrics setup --add adds it"
    return "run make; if that changes nothing, make-metrics doctor says why"


def _state_obstacle(paths: Paths) -> str:
    """Why no record can be written; empty if one can be, as far as modes tell."""
    for path in (paths.records, paths.state, *paths.state.parents):
        if os.path.lexists(path):
            if not path.is_dir():
                return f"{printable_path(path)} is not a directory: move it away"
            if not os.access(path, os.W_OK | os.X_OK):
                return f"{printable_path(path)} cannot be written: let it be yours (make-metrics doctor says more)"
            return ""
    return ""
