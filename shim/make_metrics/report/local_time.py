"""Times for people: local, to the minute."""

from __future__ import annotations

from datetime import datetime


def local_time(wall_ns: int) -> str:
    """Nanoseconds since the epoch as local time to the minute: `2021-05-17 19:44`."""
    return _to_the_minute(datetime.fromtimestamp(wall_ns // 1_000_000_000))


def local_time_of(timestamp: str) -> str:
    """The same of a time in ISO 8601, as documents for programs have it."""
    return _to_the_minute(datetime.fromisoformat(timestamp))


def _to_the_minute(time: datetime) -> str:
    return time.astimezone().strftime("%Y-%m-%d %H:%M")
