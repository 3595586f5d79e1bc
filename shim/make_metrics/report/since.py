"""The time that `--since` or another option names."""

from __future__ import annotations

import re
from datetime import datetime

from make_metrics.errors import UsageError

_UNITS_S = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_LATEST_NS = (1 << 63) - 1  # the largest integer of SQLite
_SPAN = re.compile(r"([0-9]{1,6})([mhdw])")


def span_ns(text: str) -> int | None:
    """A span such as `30m`, `12h`, `7d` or `2w` in nanoseconds; None for any other text."""
    span = _SPAN.fullmatch(text)
    return int(span[1]) * _UNITS_S[span[2]] * 1_000_000_000 if span else None


def since_ns(text: str, *, now_ns: int, option: str = "--since") -> int:
    """The time that a text names, in nanoseconds since the epoch.

    The text is a span before now (`30m`, `12h`, `7d`, `2w`), or an ISO 8601 date or time, which is local unless it has
    an offset. Raises UsageError for any other text.
    """
    if (span := span_ns(text)) is not None:
        return max(0, now_ns - span)
    try:
        return min(max(0, int(datetime.fromisoformat(text).timestamp()) * 1_000_000_000), _LATEST_NS)
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(
            f"{option} {text!r}: give a span such as 30m, 12h, 7d or 2w, or a date such as 2026-01-31"
        ) from error
