"""How long a receiver that failed is left alone, by all projects, for events and for crash reports."""

from __future__ import annotations

import random
import sqlite3

_SECOND_NS = 1_000_000_000
_FIRST_S, _LONGEST_S = 120, 3_600
_JITTER = 0.5  # the senders of many machines come back at different times


class Resting:
    """The table resting. Times are nanoseconds since the epoch; every method may raise sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use a connection in autocommit mode."""
        self._connection = connection

    def failures(self) -> dict[str, int]:
        """How often each receiver failed in a row."""
        return dict(self._connection.execute("SELECT receiver, failures FROM resting").fetchall())

    def wait_s(self, receiver: str, *, now_ns: int) -> int:
        """How many more seconds a receiver rests; 0 for one that may be tried, also after a clock was set back."""
        query = "SELECT not_before_ns FROM resting WHERE receiver = ?"
        (until_ns,) = self._connection.execute(query, (receiver,)).fetchone() or (0,)
        wait_s = -((now_ns - until_ns) // _SECOND_NS)
        return wait_s if 0 < wait_s <= _LONGEST_S * (1 + _JITTER) + 1 else 0

    def note_failure(self, receiver: str, *, now_ns: int) -> None:
        """Let a receiver rest: two to three minutes after its first failure, then twice as long, up to an hour."""
        failures = self.failures().get(receiver, 0) + 1
        rest_s = min(_FIRST_S << min(failures - 1, 16), _LONGEST_S) * random.uniform(1, 1 + _JITTER)  # noqa: S311
        self._connection.execute(
            "INSERT OR REPLACE INTO resting VALUES (?, ?, ?)", (receiver, failures, now_ns + int(rest_s * _SECOND_NS))
        )

    def note_answer(self, receiver: str) -> None:
        """Let a receiver that has answered rest no longer."""
        self._connection.execute("DELETE FROM resting WHERE receiver = ?", (receiver,))
