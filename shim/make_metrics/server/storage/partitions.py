"""PostgreSQL's partitions of EVENTS, one for each month: deleting an old month is then a matter of a moment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, text

from make_metrics.server.storage.tables import DAY_US

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCK = 0x6D616B68  # any number but those of `migrate` and `rollups`
Month = tuple[int, int]


def month_of(us: int) -> Month:
    """The year and month of a time in microseconds."""
    moment = datetime.fromtimestamp(us // 1_000_000, UTC)
    return moment.year, moment.month


def start_us(month: Month) -> int:
    """When a month begins, in microseconds since 1970."""
    return (datetime(*month, 1, tzinfo=UTC) - _EPOCH).days * DAY_US


def next_month(month: Month) -> Month:
    """The month after one."""
    year, number = month
    return (year + 1, 1) if number == 12 else (year, number + 1)


def _name(month: Month) -> str:
    return f"events_{month[0]:04}_{month[1]:02}"


class Months:
    """The partitions that this process knows to be there."""

    def __init__(self) -> None:
        """Know none yet."""
        self._known: set[Month] = set()
        self._days: dict[int, Month] = {}

    def missing(self, times_us: Iterable[int]) -> set[Month]:
        """The months of these times whose partition may be missing."""
        days = self._days
        for day in {us // DAY_US for us in times_us} - days.keys():
            days[day] = month_of(day * DAY_US)
        return {days[us // DAY_US] for us in times_us} - self._known if times_us else set()

    def make(self, connection: Connection, months: Iterable[Month]) -> None:
        """Make partitions, in a transaction that does nothing else: it waits until nobody uses EVENTS."""
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        for month in sorted(months):
            connection.execute(
                text(
                    f"CREATE TABLE IF NOT EXISTS {_name(month)} PARTITION OF events "
                    f"FOR VALUES FROM ({start_us(month)}) TO ({start_us(next_month(month))})"
                )
            )

    def know(self, months: Iterable[Month]) -> None:
        """Remember that these are there: the transaction that made them is complete."""
        self._known.update(months)

    def forget(self) -> None:
        """Know none: another process may have dropped one."""
        self._known.clear()


def existing(connection: Connection) -> list[Month]:
    """The months that have a partition, the oldest first."""
    names = connection.scalars(
        text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'events'::regclass")
    )
    months = [name.removeprefix("events_").split("_") for name in names]
    return sorted((int(year), int(month)) for year, month in months)


def drop(connection: Connection, month: Month) -> None:
    """Delete a month with all its events."""
    connection.execute(text(f"DROP TABLE IF EXISTS {_name(month)}"))
