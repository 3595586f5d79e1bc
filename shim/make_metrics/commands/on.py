"""`make-metrics on`: end `make-metrics off`. What was decided before counts again, and nothing else changes."""

from __future__ import annotations

import argparse
import os

from make_metrics.commands.project import project_at
from make_metrics.commands.prose import show
from make_metrics.consent import consent
from make_metrics.consent.mode import Mode
from make_metrics.consent.who_answers import below_make
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, refuse_for_root
from make_metrics.files.write import remove_file

_HERE = {
    Mode.OFF: "Here nothing is recorded",
    Mode.LOCAL: "Here events are recorded, and stay on this machine",
    Mode.ON: "Here events are recorded and sent",
}


def run(given: argparse.Namespace) -> int:  # noqa: ARG001
    """Turn recording on again as it was before `make-metrics off`; 0.

    Raises UserError below a make, since a recipe would make an earlier yes count again, or if a file cannot be removed.
    """
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    refuse_for_root(paths.data)
    was_off = os.path.lexists(paths.off_file)
    if was_off and below_make(os.environ):
        raise UserError("a recipe cannot turn recording on for you: run make-metrics on in a terminal yourself")
    remove_file(paths.off_file)
    ruling = consent.status_of(paths, project_at(None), os.environ).ruling
    first = "Recording is on again, as before make-metrics off." if was_off else "make-metrics off was not in force."
    # The default's reason says what _HERE says.
    reason = ruling.reason.partition(":")[0] if ruling.rule == "default" else ruling.reason
    show(f"{first}\n{_HERE[ruling.mode]} ({reason}).")
    return 0
