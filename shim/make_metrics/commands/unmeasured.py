"""The line below a report about targets that are not measured: said once for each state of the makefiles."""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path

from make_metrics.consent.mode import through_sudo
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.printable import printable
from make_metrics.setup import makefile, makefile_stamps
from make_metrics.setup.makefile_reading import Reading, read_makefile
from make_metrics.setup.makefile_verdict import Verdict, verdict_of

_LIMIT_S = 3.0
_SHOWN_TARGETS = 3


def unmeasured(paths: Paths, given_directory: str | None) -> str:
    """Which targets of the Makefile in a directory, None for the current one, are left to make; empty if none are.

    Also empty if these makefiles were looked at before, have no include line, or cannot be read by make in 3 s.
    """
    is_off = paths.off_file.exists() or os.environ.get("MAKE_METRICS") == "off"
    if is_off or through_sudo(os.environ, root=not os.geteuid()):
        return ""
    directory = Path(given_directory or ".").resolve()
    try:
        path = makefile.find_makefile("", directory)
        has_line = makefile.has_line(path.read_bytes())
    except (OSError, UserError):
        return ""
    if not has_line or makefile_stamps.is_known(paths, directory):
        return ""
    try:
        reading, verdict = _look(path)
    except (OSError, UserError):  # of a Makefile that takes too long, too: not again before it changes
        makefile_stamps.remember(paths, directory, [path.name])
        return ""
    makefile_stamps.remember(paths, directory, [path.name, *reading.files])
    recipes = sum(target.has_recipe for target in reading.targets.values())
    if verdict is None or (verdict.hook and not verdict.left):
        return ""
    doctor = "make-metrics doctor" + (f" -C {shlex.quote(given_directory)}" if given_directory else "")
    if not verdict.hook or len(verdict.left) == recipes:
        return f"Nothing of {path.name} is measured now: {printable(doctor)} says why."
    names = [printable(left.target) for left in verdict.left]
    shown, more = ", ".join(names[:_SHOWN_TARGETS]), len(names) - _SHOWN_TARGETS
    return f"Not measured: {shown}{f' and {more} more' if more > 0 else ''}; {printable(doctor)} says why."


def _look(path: Path) -> tuple[Reading, Verdict | None]:
    """What make finds in a Makefile, and the verdict; None where it says nothing about targets.

    Raises UserError if there is no make, or it does not end in time.
    """
    give_up = time.monotonic() + _LIMIT_S
    reading = read_makefile(path, limit_s=_LIMIT_S)
    values = reading.values
    if reading.stopped or not values["included"] or values["inert"]:
        return reading, None
    return reading, verdict_of(path, reading, limit_s=max(give_up - time.monotonic(), 0.1))
