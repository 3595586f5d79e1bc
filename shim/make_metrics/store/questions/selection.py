"""Which runs a question is about, as a condition of SQL."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

_SLACK_NS = 1_000_000_000  # a clock may have been set while a run went on
_LATEST_NS = (1 << 63) - 1  # the largest integer of SQLite


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a question is about.

    `within`: only runs of makes in this directory and below; empty for all. `goal`: only runs that had this goal; empty
    for all. Of these only what began at `since_ns` or later and before `until_ns`, nanoseconds since the epoch.
    """

    within: str = ""
    goal: str = ""
    since_ns: int = 0
    until_ns: int = _LATEST_NS

    def runs(self) -> tuple[str, list[object]]:
        """A condition for the table builds, and its values: the runs of which a part may have begun in the time."""
        conditions = [
            "builds.id NOT IN (SELECT run FROM unfinished)",
            "builds.started_ns + 1000000 * builds.duration_ms >= ?",
            "builds.started_ns < ?",
        ]
        values: list[object] = [self.since_ns - _SLACK_NS, min(self.until_ns + _SLACK_NS, _LATEST_NS)]
        if self.within:
            below = self.within.rstrip("/") + "/"
            conditions.append(
                "builds.directory IN (SELECT id FROM texts WHERE text = ? OR substr(text, 1, length(?)) = ?)"
            )
            values += [self.within, below, below]
        if self.goal:
            conditions.append(
                "builds.goals IN (SELECT texts.id FROM texts WHERE json_valid(text) AND text LIKE '[%' "
                "AND EXISTS (SELECT 1 FROM json_each(text) WHERE value = ?))"
            )
            values.append(self.goal)
        return " AND ".join(conditions), values


def any_run(connection: sqlite3.Connection, selection: Selection) -> bool:
    """Whether the store has a run of a selection. Raises sqlite3.Error."""
    condition, values = selection.runs()
    return connection.execute(f"SELECT 1 FROM builds WHERE {condition} LIMIT 1", values).fetchone() is not None  # noqa: S608
