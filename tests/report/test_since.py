from __future__ import annotations

from datetime import UTC, datetime

import pytest

from make_metrics.errors import UserError
from make_metrics.report.since import since_ns

NOW_NS = 2_000_000_000_000_000_000
SECOND_NS = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1_800), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600), ("0d", 0), ("999999w", 2_000_000_000)],
)
def test_a_span_is_subtracted_from_now(text: str, seconds: int) -> None:
    assert since_ns(text, now_ns=NOW_NS) == NOW_NS - seconds * SECOND_NS


def test_dates_are_local_unless_they_say_otherwise() -> None:
    local_s = int(datetime(2026, 1, 31).timestamp())
    assert since_ns("2026-01-31", now_ns=NOW_NS) == local_s * SECOND_NS
    utc_s = int(datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp())
    assert since_ns("2026-01-31T12:00:00Z", now_ns=NOW_NS) == utc_s * SECOND_NS


def test_a_date_is_kept_within_what_the_store_can_compare() -> None:
    assert since_ns("1969-01-01", now_ns=NOW_NS) == 0
    assert since_ns("9999-12-31", now_ns=NOW_NS) == (1 << 63) - 1


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "7 d", "7y", "yesterday", "2026-02-30", "1" * 30 + "d"])
def test_anything_else_is_the_users_error(text: str) -> None:
    with pytest.raises(UserError, match="--since"):
        since_ns(text, now_ns=NOW_NS)
