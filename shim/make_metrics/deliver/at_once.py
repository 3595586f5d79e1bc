"""Several receivers at once: what one of them is waited for holds up no other.

The steps of a receiver are a generator. It yields a request, as a function, and is sent what that returned. Generators
run in the caller's thread, one at a time, so that they may use the store; only requests run beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from functools import partial
from typing import Any, TypeVar

from make_metrics.sinks.time_limit import LateError, begun

Result = TypeVar("Result")
Steps = Generator[Callable[[], Result], Result, None]
LIMIT = 16  # receivers


class TimeUpError(Exception):
    """The time is over, and something is left to do."""


def run_at_once(
    receivers: Iterable[Steps[Result]], *, deadline_s: float, abandoned: list[Future[Any]], limit: int = LIMIT
) -> None:
    """Take the steps of receivers, of `limit` at a time and in their order, until `deadline_s` on the monotonic clock.

    A request that is under way then goes on alone, and is added to `abandoned`, also if this raises something. The
    generator that waits for it gets a LateError. A generator may raise TimeUpError: the others go on. Raises
    TimeUpError in the end if one did, or was not begun.
    """
    waiting = iter(receivers)
    running: dict[Future[Result], Steps[Result]] = {}
    is_late = False

    def advance(step: Callable[[], Callable[[], Result]], steps: Steps[Result]) -> None:
        nonlocal is_late
        try:
            running[begun(step())] = steps
        except StopIteration:
            pass
        except TimeUpError:
            is_late = True

    try:
        while True:
            while len(running) < limit and (steps := next(waiting, None)) is not None:
                advance(steps.__next__, steps)
            if not running:
                break
            done = wait(running, timeout=max(deadline_s - time.monotonic(), 0), return_when=FIRST_COMPLETED).done
            for future in done or list(running):
                steps = running.pop(future)
                if not done:
                    abandoned.append(future)
                    advance(partial(steps.throw, LateError(future)), steps)
                elif error := future.exception():
                    advance(partial(steps.throw, error), steps)
                else:
                    advance(partial(steps.send, future.result()), steps)
    finally:
        abandoned.extend(running)
    if is_late:
        raise TimeUpError
