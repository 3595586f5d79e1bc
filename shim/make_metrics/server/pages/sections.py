"""What a page shows, as values: sections with a table each, and a chart where there is one; and a table as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from make_metrics.report.rows import duration
from make_metrics.server.pages.filters import day_text
from make_metrics.server.storage.tables import DAY_US

HIDDEN = "·"
SHOWN_ROWS = 100


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. `key` is its name in CSV.

    `kind` says what its values are: "text", "target", "run", "count", "ms", "share" (of 1), "day" (since 1970), "time"
    (microseconds since 1970). None is a value that there is not, `HIDDEN` one that is not shown.
    """

    key: str
    title: str
    kind: str = "text"

    @property
    def is_number(self) -> bool:
        """Whether values are aligned to the right."""
        return self.kind in ("count", "ms", "share")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page. `key` names its table in a link to CSV; `hidden` is how many rows are not shown.

    `timeline` is a picture and a table that a script shows in place of `chart` and `rows` (`report.run.timeline`).
    """

    key: str
    title: str
    columns: Sequence[Column] = ()
    rows: Sequence[Sequence[Any]] = ()
    text: str = ""
    chart: Markup | None = None
    hidden: int = 0
    form: str = ""
    timeline: tuple[Markup, Markup] | None = None


@dataclass(frozen=True, slots=True)
class View:
    """A page: its title, what it says in words, and its sections. `cuts` is whether the filters of cuts apply to it."""

    title: str
    text: str
    sections: Sequence[Section] = field(default_factory=tuple)
    cuts: bool = True
    periods: bool = True
    default_days: int = 28


def cell(column: Column, value: Any) -> str:
    """A value for people."""
    if value is None:
        return "-"
    if value == HIDDEN:
        return HIDDEN
    match column.kind:
        case "ms":
            return duration(round(value)) if value >= 0 else f"-{duration(round(-value))}"
        case "share":
            return f"{100 * value:.1f}%"
        case "count":
            return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"
        case "day":
            return day_text(value)
        case "time":
            return moment(value)
    return str(value)


def moment(time_us: int) -> str:
    """A time in UTC for people, to the minute."""
    day, rest = divmod(time_us, DAY_US)
    minutes = rest // 60_000_000
    return f"{day_text(day)} {minutes // 60:02d}:{minutes % 60:02d}"


def csv_text(section: Section) -> str:
    """A section's whole table as CSV (RFC 4180). Durations are milliseconds, shares parts of 1."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow([column.key for column in section.columns])
    for row in section.rows:
        writer.writerow([_csv_cell(column, value) for column, value in zip(section.columns, row, strict=True)])
    return written.getvalue()


def _csv_cell(column: Column, value: Any) -> Any:
    if value is None or value == HIDDEN:
        return ""
    if column.kind in ("day", "time"):
        return cell(column, value)
    if isinstance(value, float):
        return round(value, 6)
    # A spreadsheet takes a text that begins so for a formula.
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
