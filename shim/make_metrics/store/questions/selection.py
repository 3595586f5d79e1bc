"""Which runs a question is about, as a condition of SQL, and their order."""

from __future__ import annotations

import sqlite3

from make_metrics.dataclass import dataclass

SLACK_NS = 1_000_000_000  # a clock may have been set while a run went on
_LATEST_NS = (1 << 63) - 1  # the largest integer of SQLite
# A run that is written in slices is shown when the last one is there.
FINISHED = "builds.id NOT IN (SELECT run FROM unfinished)"
# A process' start is known in clock ticks of 10 ms, and quick makes take less: their first line tells them apart.
ORDER = "builds.started_ns + 1000000 * min(coalesce(builds.before_ms, 0), 15)"
NEWEST_FIRST = f"{ORDER} DESC, builds.id DESC"


def of_makes(within: str, goal: str) -> tuple[list[str], list[object]]:
    """Conditions for the table builds, and their values: runs of makes in a directory or below, and with a goal.

    An empty text leaves all runs, but for those that are not written as a whole yet.
    """
    conditions, values = [FINISHED], list[object]()
    if within:
        below = within.rstrip("/") + "/"
        conditions.append("builds.directory IN (SELECT id FROM texts WHERE text = ? OR substr(text, 1, length(?)) = ?)")
        values += [within, below, below]
    if goal:
        conditions.append(
            "builds.goals IN (SELECT texts.id FROM texts WHERE json_valid(text) AND text LIKE '[%' "
            "AND EXISTS (SELECT 1 FROM json_each(text) WHERE value = ?))"
        )
        values.append(goal)
    return conditions, values


def glob(pattern: str) -> str:
    """A pattern of names for SQLite's GLOB, which writes `[^...]` where shells write `[!...]`."""
    return pattern.replace("[!", "[^")


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a question is about.

    `within`: only runs of makes in this directory and below; empty for all. `goal`: only runs that had this goal; empty
    for all. `jobs`: only runs with this number of jobs, as in `analysis.build.MakeProcess`; None for all. Of these only
    what began at `since_ns` or later and before `until_ns`, nanoseconds since the epoch.
    """

    within: str = ""
    goal: str = ""
    jobs: int | None = None
    since_ns: int = 0
    until_ns: int = _LATEST_NS

    def runs(self) -> tuple[str, list[object]]:
        """A condition for the table builds, and its values: the runs of which a part may have begun in the time."""
        conditions = [
            "builds.started_ns + 1000000 * builds.duration_ms >= ?",
            "builds.started_ns < ?",
        ]
        values: list[object] = [self.since_ns - SLACK_NS, min(self.until_ns + SLACK_NS, _LATEST_NS)]
        return self._with_makes(conditions, values)

    def begun(self) -> tuple[str, list[object]]:
        """The same for the runs that began in the time themselves."""
        return self._with_makes(["builds.started_ns >= ?", "builds.started_ns < ?"], [self.since_ns, self.until_ns])

    def _with_makes(self, conditions: list[str], values: list[object]) -> tuple[str, list[object]]:
        more_conditions, more_values = of_makes(self.within, self.goal)
        if self.jobs is not None:
            more_conditions.append("builds.jobs = ?")
            more_values.append(self.jobs)
        return " AND ".join(conditions + more_conditions), values + more_values


def any_run(connection: sqlite3.Connection, selection: Selection) -> bool:
    """Whether the store has a run of a selection. Raises sqlite3.Error."""
    condition, values = selection.runs()
    return connection.execute(f"SELECT 1 FROM builds WHERE {condition} LIMIT 1", values).fetchone() is not None  # noqa: S608
