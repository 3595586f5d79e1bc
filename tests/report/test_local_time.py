"""Times for people."""

from __future__ import annotations

import time

import pytest

from make_metrics.combine.event import timestamp
from make_metrics.report.local_time import local_time, local_time_of


def test_times_are_local_to_the_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC-2")
    time.tzset()
    try:
        assert local_time(1_790_000_000_123_456_789) == "2026-09-21 16:13"
        assert local_time_of(timestamp(1_790_000_000_123_456_789)) == "2026-09-21 16:13"
    finally:
        monkeypatch.undo()
        time.tzset()
