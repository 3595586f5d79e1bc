"""`make-metrics uninstall`: remove what make-metrics has written on this machine, so that the package can go."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from make_metrics.commands.prose import CONTINUED, show
from make_metrics.commands.question import ask
from make_metrics.consent import consent
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path, refuse_for_root
from make_metrics.setup import removal


def run(given: argparse.Namespace) -> int:
    """Remove what set-up wrote; with `given.data` what was recorded, with `given.decisions` what was decided; 0.

    The last two are asked about unless `given.yes`; 1 if the answer is no. Raises UserError if there is nobody to ask,
    or something cannot be removed.
    """
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    refuse_for_root(paths.data)
    asked = [name for name, is_asked in (("recorded", given.data), ("decided", given.decisions)) if is_asked]
    if asked and not given.yes:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UserError("uninstall asks before it removes that: run it in a terminal, or use --yes")
        if not ask(f"Remove all that was {' and '.join(asked)}, for all projects?"):
            sys.stdout.write("Nothing is removed.\n")
            return 1
    other = removal.other_installation(paths)
    if other:
        show(f"The fragment stays: another installation uses it ({other}).")
    else:
        _tell("what set-up wrote", removal.remove_set_up(paths))
    _tell("markers and locks", removal.remove_markers(paths))
    if given.data:
        _tell("what was recorded", removal.remove_data(paths))
    if given.decisions:
        _tell("decisions", removal.remove_decisions(paths))
    removal.remove_empty_directories(paths)
    _tell_what_is_left(paths, given)
    return 0


def _tell(what: str, files: Sequence[Path]) -> None:
    count = f"{len(files)} file{'' if len(files) == 1 else 's'}"
    where = sorted({printable_path(path.parent) for path in files})
    text = f"Removed {what}: {count} in {', '.join(where)}" if files else f"Removed {what}: nothing there"
    show(text, hanging=CONTINUED)


def _tell_what_is_left(paths: Paths, given: argparse.Namespace) -> None:
    for directory, remedy in (
        (paths.state, "" if given.data else " (--data removes what was recorded)"),
        (paths.data, "" if given.data and given.decisions else " (--data and --decisions remove it)"),
        (paths.config, "" if given.decisions else " (--decisions removes what was decided)"),
    ):
        if directory.exists():
            show(f"Left: {printable_path(directory)}{remedy}", hanging=CONTINUED)
    show(
        "Left: include lines in Makefiles, which do nothing now (make-metrics setup --remove takes one out).\n"
        "Last, remove the package the way it came: pip uninstall make-metrics, pipx uninstall make-metrics, or "
        "uv tool uninstall make-metrics",
        hanging=CONTINUED,
    )
