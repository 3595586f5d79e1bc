"""Says on standard error how far a long run is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from typing import TextIO

from ci.conformance import report


def say_progress(verdicts: Sequence[Future[report.Verdict]], out: TextIO, every_s: float) -> None:
    """Write a line now and every `every_s` seconds, until all verdicts are there or one could not be found."""
    began, pending = time.monotonic(), set(verdicts)
    while pending:
        done = [verdict.result() for verdict in verdicts if verdict not in pending]
        differing = sum(verdict.verdict == report.DIFFERS for verdict in done)
        minutes = (time.monotonic() - began) / 60
        print(f"{len(done)} of {len(verdicts)} done, {differing} differ, {minutes:.0f} min", file=out, flush=True)
        finished, pending = wait(pending, timeout=every_s, return_when=FIRST_EXCEPTION)
        if any(verdict.exception() for verdict in finished):
            return
