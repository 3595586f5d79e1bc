"""`make-metrics flush`: send what waits now, and print the result."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import sys
import time

from make_metrics import environment
from make_metrics.commands.erase import ask
from make_metrics.commands.project import combine_records, opened_store, write_request
from make_metrics.commands.warn import warn
from make_metrics.consent import consent
from make_metrics.crashes import delivery as crash_delivery
from make_metrics.deliver.delivery import deliver, show
from make_metrics.deliver.to_sink import Delivered
from make_metrics.errors import UsageError
from make_metrics.files.paths import Paths
from make_metrics.store.outbox import Outbox

_SWEEP_S = 5
_LONGEST_S = 3_600


def run(given: argparse.Namespace) -> int:
    """Combine records and send what waits of all projects, crash reports too, within `timeout` seconds.

    0 if everything was sent, 1 if something still waits. With MAKE_METRICS=log, print the requests instead.
    Raises UserError for a bad `timeout`, or a store that cannot be used.
    """
    if not 0 < given.timeout <= _LONGEST_S:
        raise UsageError(f"--timeout must be more than 0 and at most {_LONGEST_S} seconds")
    paths = Paths.from_environment()
    consent.refuse_sudo(os.environ)
    give_up = time.monotonic() + given.timeout
    if not environment.only_prints(os.environ):
        with contextlib.suppress(OSError):  # before the records are read: a make that ends later leaves word anew
            paths.sender_wanted.unlink()
    warn(combine_records(paths, timeout_s=min(_SWEEP_S, given.timeout)))
    if given.retry:
        with opened_store(paths) as store, store.transaction():
            Outbox(store.connection).take_up()
    if environment.only_prints(os.environ):
        reports = [(crash_delivery.KIND, request) for request in crash_delivery.preview(paths, os.environ)]
        for kind, request in itertools.chain(show(paths, os.environ), reports):
            write_request(kind, request)
        return ask(paths)
    delivered = deliver(paths, os.environ, timeout_s=max(give_up - time.monotonic(), 0.1))
    sys.stdout.write(_summary(delivered))
    crash_result = crash_delivery.deliver(paths, os.environ, give_up)
    if crash_result.accepted:
        sys.stdout.write(f"{crash_result.accepted} crash report{'s' * (crash_result.accepted != 1)} sent\n")
    problems = delivered.problems + crash_result.problems
    warn(problems)
    waits = ask(paths, timeout_s=max(give_up - time.monotonic(), 0.1))
    return 1 if problems or waits else 0


def _summary(delivered: Delivered) -> str:
    text = f"{_events(delivered.accepted)} sent" if delivered.accepted else "nothing sent"
    if delivered.aside:
        text += f", {_events(delivered.aside)} refused for good and set aside (flush --retry tries again)"
    return f"{text}\n"


def _events(count: int) -> str:
    return f"{count} event{'s' * (count != 1)}"
