"""How targets changed from day to day, and which failed and passed again on one commit."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import Any

from make_metrics.dataclass import dataclass

# `placed` is of `costs`: a row for each make of the chosen runs. Runs come in the order of their start, and with them
# the days, which are those of this machine's time zone.
QUERY = """
SELECT placed.key_part | (targets.name << 21) | (targets.goal != 0), placed.day,
    max(targets.span_us - targets.idle_us, 0), targets.exit_status, placed.commit_id
FROM placed CROSS JOIN targets ON targets.build = placed.build AND targets.make = placed.number
WHERE placed.started_ns + 1000 * (targets.start_us - targets.lead_us) BETWEEN ? AND ? {named}
ORDER BY placed.position
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """How a target changed.

    `days` are the days on which it was made, as `2026-01-31` in local time, with the median of its own time in
    microseconds. `flaky` is how often it failed in a run, and then passed in the next one that made it on this commit.
    """

    days: tuple[tuple[str, int], ...] = ()
    flaky: int = 0


NO_TREND = Trend()


def trends(rows: Iterable[tuple[Any, ...]]) -> dict[int, Trend]:
    """The trend of each key, from the rows of `QUERY`. Only one day's times are in memory."""
    days: dict[int, list[tuple[str, int]]] = {}
    flaky: dict[int, int] = {}
    failed: set[tuple[int, int]] = set()  # keys and commits whose last run failed
    for day, of_day in groupby(rows, itemgetter(1)):
        times: dict[int, list[int]] = {}
        for key, _, own_us, status, commit in of_day:
            times.setdefault(key, []).append(own_us)
            if not commit:
                continue
            if status:
                failed.add((key, commit))
            elif (key, commit) in failed:
                failed.remove((key, commit))
                flaky[key] = flaky.get(key, 0) + 1
        for key, values in times.items():
            days.setdefault(key, []).append((_date(day), round(_median(values))))
    return {key: Trend(days=tuple(medians), flaky=flaky.get(key, 0)) for key, medians in days.items()}


def _date(day: int | None) -> str:
    """`2026-01-31` for 20260131; a year that no calendar has is empty."""
    return "" if day is None else f"{day // 10_000:04}-{day // 100 % 100:02}-{day % 100:02}"


def _median(values: Iterable[int]) -> float:
    """As `statistics.median`, without the library's fractions and decimals: to load these takes 3 ms."""
    in_order = sorted(values)
    middle = len(in_order) // 2
    return (in_order[middle] + in_order[~middle]) / 2
