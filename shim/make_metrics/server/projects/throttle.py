"""A limit for tries that fail: whoever guesses is slowed down, whoever knows is not."""

from __future__ import annotations

import time
from collections.abc import Callable


class Throttle:
    """Lets `burst` failures be told at once, and after that so many a second.

    No address is kept, so all guessers share the limit. Whoever has the right key, token or id must not wait for them:
    look first, which has to be cheap, and ask here about what failed.
    """

    def __init__(self, *, burst: int, per_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with all of `burst`."""
        self._burst, self._per_s, self._clock = burst, per_s, clock
        self._left, self._at = float(burst), clock()

    def failed(self) -> int:
        """Note a try that failed: 0 if its answer may say so, else the whole seconds until the next one's may."""
        now = self._clock()
        self._left = min(self._burst, self._left + (now - self._at) * self._per_s)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0
        return max(1, round((1 - self._left) / self._per_s))
