"""A limit for tries that fail: whoever guesses is slowed down, whoever knows is not."""

from __future__ import annotations

import time
from collections.abc import Callable


class Throttle:
    """Lets `burst` failures pass at once, and after that so many a second.

    No address is kept, so all guessers share the limit. A right key or token is never held up: ask only before a look
    at the database, and note only what failed.
    """

    def __init__(self, *, burst: int, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with all of `burst`."""
        self._burst, self._per_s, self._clock = burst, per_s, clock
        self._left, self._at = float(burst), clock()

    def wait_s(self) -> int:
        """The whole seconds until the next try may be made; 0 if it may be made now."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        return 0 if self._left >= 1 else max(1, round((1 - self._left) / self._per_s))

    def failed(self) -> None:
        """Note a try that failed."""
        self.wait_s()
        self._left = max(self._left - 1, 0)
