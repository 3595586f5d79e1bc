"""`make-metrics flush`: send what waits, now, and say what came of it."""

from __future__ import annotations

import os
import sys
import time

from shim import consent, crash_delivery
from shim.commands.here import tell
from shim.delivery import Delivered, deliver, show
from shim.errors import UserError
from shim.paths import Paths
from shim.sweep import sweep

_SWEEP_S = 5
_LONGEST_S = 3_600


def run(*, timeout: float) -> int:
    """Combine and send what waits of all projects, crash reports too, within `timeout` seconds; 0 if nothing is left.

    1 if anything that could be sent had to stay. With MAKE_METRICS=log it is printed instead. Raises UserError for a
    bad `timeout`, or a store that cannot be used.
    """
    if not 0 < timeout <= _LONGEST_S:
        raise UserError(f"--timeout must be more than 0 and at most {_LONGEST_S} seconds")
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    give_up = time.monotonic() + timeout
    tell(sweep(paths, timeout=min(_SWEEP_S, timeout)).problems)
    if os.environ.get("MAKE_METRICS") == "log":
        for request in show(paths, os.environ):
            sys.stdout.write(f"POST {request.url}\n{request.body.decode()}\n")
        for request in crash_delivery.show(paths, os.environ):
            sys.stdout.write(f"POST {request.url}\n{request.body.decode()}")
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
