"""`make-metrics flush`: send what waits, now, and say what came of it."""

from __future__ import annotations

import argparse
import os
import sys
import time

from make_metrics import environment
from make_metrics.commands.project import tell, write_request
from make_metrics.consent import consent
from make_metrics.crashes import delivery as crash_delivery
from make_metrics.deliver.delivery import Delivered, deliver, show
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.sweep.sweep import sweep

_SWEEP_S = 5
_LONGEST_S = 3_600


def run(given: argparse.Namespace) -> int:
    """Combine and send what waits of all projects, crash reports too, within `timeout` seconds.

    0 if nothing is left that could be sent, 1 if anything had to stay. With MAKE_METRICS=log it is printed instead.
    Raises UserError for a bad `timeout`, or a store that cannot be used.
    """
    if not 0 < given.timeout <= _LONGEST_S:
        raise UserError(f"--timeout must be more than 0 and at most {_LONGEST_S} seconds")
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    give_up = time.monotonic() + given.timeout
    tell(sweep(paths, timeout=min(_SWEEP_S, given.timeout)).problems)
    if environment.only_prints(os.environ):
        of_events, of_crashes = show(paths, os.environ), crash_delivery.preview(paths, os.environ)
        for kind, request in [*of_events, *((crash_delivery.KIND, request) for request in of_crashes)]:
            write_request(kind, request)
        return 0
    delivered = deliver(paths, os.environ, timeout_s=max(give_up - time.monotonic(), 0.1))
    sys.stdout.write(_said(delivered))
    reported = crash_delivery.deliver(paths, os.environ, give_up)
    if reported.accepted:
        sys.stdout.write(f"{reported.accepted} crash report{'s' * (reported.accepted != 1)} sent\n")
    problems = delivered.problems + reported.problems
    tell(problems)
    return 1 if problems else 0


def _said(delivered: Delivered) -> str:
    said = f"{_events(delivered.accepted)} sent" if delivered.accepted else "nothing sent"
    if delivered.aside:
        said += f", {_events(delivered.aside)} refused for good and set aside (make-metrics status)"
    return f"{said}\n"


def _events(count: int) -> str:
    return f"{count} event{'s' * (count != 1)}"
