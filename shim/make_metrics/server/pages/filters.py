"""What a page is about, as its link says it: period, cut, target and run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from urllib.parse import urlencode

PERIODS = (7, 28, 91, 364)
JOBS = (0, 1, 2, 4, 8, 16, 32, 64, -1)
_EPOCH = date(1970, 1, 1).toordinal()
_TEXT = re.compile(r"[ -~]{0,40}")
_RUN = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_LONGEST_NAME = 200


class FilterError(Exception):
    """A link that asks for something that cannot be; the text says what, in one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What a page is about. None and empty texts do not limit.

    `until` is the last day, as a number of days since 1970; None is today. `days` is the length of the period; None is
    the page's own. `system` and `driver` are values of CUTS, where "unknown" stands for "". `jobs` is one of `JOBS`.
    `branch` is "default", "other" or "unknown", `goal` "yes" or "no". `csv` names a table.
    """

    days: int | None = None
    until: int | None = None
    system: str = ""
    driver: str = ""
    jobs: int | None = None
    branch: str = ""
    goal: str = ""
    target: str = ""
    run: str = ""
    csv: str = ""

    def query(self, **changes: object) -> str:
        """The link's part after the address, "?" included, with some fields changed; empty for no filter at all."""
        changed = replace(self, **{"csv": "", **changes})  # type: ignore[arg-type]
        given = [
            (field.name, _shown(field.name, value))
            for field in fields(Filters)
            if (value := getattr(changed, field.name)) not in (None, "")
        ]
        return f"?{urlencode(given)}" if given else ""

    def inputs(self, *names: str) -> list[tuple[str, str]]:
        """Names and values of these fields, for a form's hidden inputs."""
        values = ((name, getattr(self, name)) for name in names)
        return [(name, _shown(name, value)) for name, value in values if value not in (None, "")]


def parse(given: Mapping[str, str]) -> Filters:
    """The filters of a link. Unknown parameters are passed over; raises FilterError for values that cannot be."""
    days, until, jobs = (given.get(name, "") for name in ("days", "until", "jobs"))
    return Filters(
        days=_one_of("days", days, PERIODS) if days else None,
        until=day_of(until) if until else None,
        system=_matching("system", given.get("system", ""), _TEXT),
        driver=_matching("driver", given.get("driver", ""), _TEXT),
        jobs=_one_of("jobs", jobs, JOBS) if jobs else None,
        branch=_word("branch", given.get("branch", ""), ("default", "other", "unknown")),
        goal=_word("goal", given.get("goal", ""), ("yes", "no")),
        target=_name(given.get("target", "")),
        run=_matching("run", given.get("run", "").strip(), _RUN) if given.get("run", "").strip() else "",
        csv=_matching("csv", given.get("csv", ""), _TEXT),
    )


def day_of(text: str) -> int:
    """A date such as 2026-05-17 as a number of days since 1970; raises FilterError."""
    try:
        day = date.fromisoformat(text).toordinal() - _EPOCH
    except ValueError:
        raise FilterError("until must be a date such as 2026-05-17") from None
    if not 0 <= day <= 100_000:
        raise FilterError("until must be a date between 1970 and 2243")
    return day


def day_text(day: int) -> str:
    """A number of days since 1970 as a date such as 2026-05-17."""
    return date.fromordinal(day + _EPOCH).isoformat()


def _shown(name: str, value: object) -> str:
    return day_text(value) if name == "until" and isinstance(value, int) else str(value)


def _one_of(name: str, text: str, allowed: tuple[int, ...]) -> int:
    if text not in map(str, allowed):
        raise FilterError(f"{name} must be one of {', '.join(map(str, allowed))}")
    return int(text)


def _word(name: str, text: str, allowed: tuple[str, ...]) -> str:
    if text and text not in allowed:
        raise FilterError(f"{name} must be one of {', '.join(allowed)}")
    return text


def _matching(name: str, text: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(text):
        raise FilterError(f"{name} cannot have this value")
    return text


def _name(text: str) -> str:
    # PostgreSQL's texts cannot hold a NUL, and UTF-8 no half of a surrogate pair.
    if len(text) > _LONGEST_NAME or "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise FilterError("no target has such a name")
    return text
