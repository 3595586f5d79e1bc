"""`make-metrics on-this-machine`: record what make does, and send nothing."""

from __future__ import annotations

import argparse
import os
import sys
import time

from make_metrics.commands.prose import CONTINUED, show
from make_metrics.commands.warn import warn
from make_metrics.consent import consent
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path
from make_metrics.printable import printable
from make_metrics.sender.stop import stop_sending


def run(given: argparse.Namespace) -> int:  # noqa: ARG001
    """Turn recording on for this user, and sending off for all projects; 0.

    An earlier yes counts no more, and each is named: `make-metrics opt-in` asks for a new one. When it returns, nothing
    leaves any more. Raises UserError if a file cannot be written, or who sends cannot be stopped.
    """
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    try:
        with consent.lock(paths):
            yeses = consent.standing_yeses(paths, paths.decisions)
            crash_yeses = consent.standing_yeses(paths, paths.crash_decisions)
            consent.write_on_this_machine(paths, now_ns=time.time_ns())
        paths.off_file.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot change {printable_path(paths.data)}: {error.strerror}") from error
    warn(stop_sending(paths.send_lock, paths.crash_lock))
    sys.stdout.write("recording on this machine, nothing is sent\n")
    for record in yeses:
        show(f"took back your yes for {printable(record.project)} (make-metrics opt-in asks again)", hanging=CONTINUED)
    for record in crash_yeses:
        show(f"took back your yes to crash reports from {printable(record.project)}", hanging=CONTINUED)
    return 0
