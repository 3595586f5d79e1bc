"""`make-metrics off`: record nothing any more; recipes run with the Makefile's own shell."""

from __future__ import annotations

import argparse
import os
import sys

from make_metrics.commands.warn import warn
from make_metrics.consent import consent
from make_metrics.files.paths import Paths
from make_metrics.files.write import write_file
from make_metrics.sender.stop import stop_sending


def run(given: argparse.Namespace) -> int:  # noqa: ARG001
    """Turn recording off for this user; 0. When it returns, nothing leaves any more.

    Raises UserError if the file that says so cannot be written, or who sends cannot be stopped.
    """
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    write_file(paths.off_file, b"", whatever_is_there=True)
    warn(stop_sending(paths.send_lock, paths.crash_lock))
    sys.stdout.write("recording is off; make-metrics on turns it on again, as it was before\n")
    return 0
