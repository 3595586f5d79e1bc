"""The time by which old data is deleted: a clock that jumped ahead must not delete anything.

A clock that shows a date months ahead cannot be told from a machine that was off for months. So after a jump the time
before it counts on, until the clock has gone on for two weeks without being set back.
"""

from __future__ import annotations

import sqlite3

from make_metrics.dataclass import dataclass
from make_metrics.store.bounds import DAY_NS

GAP_NS = 4 * DAY_NS
SETTLED_NS = 14 * DAY_NS


@dataclass(frozen=True, slots=True)
class Clock:
    """What the clock showed, in nanoseconds since the epoch.

    `seen_ns` is what it showed last, `trusted_ns` the time by which data is deleted. `jumped_ns` is what it showed
    right after a jump that is not trusted yet, 0 if there is none.
    """

    seen_ns: int
    trusted_ns: int
    jumped_ns: int = 0

    def advanced(self, now_ns: int) -> Clock:
        """The clock now that it shows `now_ns`."""
        if now_ns < self.trusted_ns:  # set back: what it showed before was ahead
            return Clock(now_ns, now_ns)
        jumped_ns = self.jumped_ns if self.jumped_ns <= now_ns else 0
        # After being set back it may still be ahead of what is trusted.
        before_ns = self.seen_ns if self.seen_ns <= now_ns else self.trusted_ns
        if not jumped_ns and now_ns - before_ns > GAP_NS:
            jumped_ns = now_ns
        if jumped_ns and now_ns - jumped_ns < SETTLED_NS:
            return Clock(now_ns, self.trusted_ns, jumped_ns)
        return Clock(now_ns, now_ns)


def read(connection: sqlite3.Connection) -> Clock | None:
    """The clock as the store has it; None if it has none. May raise sqlite3.Error."""
    row = connection.execute("SELECT seen_ns, trusted_ns, jumped_ns FROM clock").fetchone()
    return Clock(*row) if row and all(isinstance(value, int) for value in row) else None


def advance(connection: sqlite3.Connection, now_ns: int) -> Clock:
    """Note what the clock shows. May raise sqlite3.Error."""
    before = read(connection)
    clock = before.advanced(now_ns) if before else Clock(now_ns, now_ns)
    connection.execute(
        "INSERT OR REPLACE INTO clock VALUES (1, ?, ?, ?)", (clock.seen_ns, clock.trusted_ns, clock.jumped_ns)
    )
    return clock
