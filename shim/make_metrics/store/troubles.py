"""The store's count of troubles with metrics: one that failed, took too long, or returned a forbidden value."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from make_metrics.combine.event import timestamp
from make_metrics.dataclass import dataclass
from make_metrics.metrics.trouble import Trouble, one_line
from make_metrics.store.bounds import DAY_NS

KEEP_NS = 90 * DAY_NS
LIMIT = 100


@dataclass(frozen=True, slots=True)
class Count:
    """How often a metric had a kind of trouble; the last time in nanoseconds since the epoch, and its message."""

    metric: str
    kind: str
    count: int
    last_ns: int
    said: str

    @property
    def text(self) -> str:
        """The count as a line for the user."""
        times = f"{self.count} time{'s' * (self.count != 1)}, last {timestamp(self.last_ns)}"
        return f"{self.metric} {self.kind} ({times}{': ' + self.said if self.said else ''})"


class Troubles:
    """The table troubles. Every method may raise sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use a connection in autocommit mode. Calls that belong together need a transaction of the caller's."""
        self._connection = connection

    def add(self, troubles: Iterable[Trouble], *, now_ns: int) -> None:
        """Count troubles."""
        self._connection.executemany(
            "INSERT INTO troubles VALUES (?1, ?2, 1, ?3, ?4) ON CONFLICT (metric, kind) "
            "DO UPDATE SET count = count + 1, last_ns = ?3, said = ?4",
            [(trouble.metric, trouble.kind, now_ns, one_line(trouble.said)) for trouble in troubles],
        )

    def prune(self, *, now_ns: int) -> None:
        """Delete counts that were not added to for 90 days, and all but the latest hundred."""
        self._connection.execute("DELETE FROM troubles WHERE last_ns < ?", (now_ns - KEEP_NS,))
        self._connection.execute(
            "DELETE FROM troubles WHERE (metric, kind) IN "
            "(SELECT metric, kind FROM troubles ORDER BY last_ns DESC LIMIT -1 OFFSET ?)",
            (LIMIT,),
        )

    def all(self) -> list[Count]:
        """All counts, in order of the metrics' names."""
        rows = self._connection.execute("SELECT metric, kind, count, last_ns, said FROM troubles ORDER BY metric, kind")
        return [Count(*row) for row in rows]
