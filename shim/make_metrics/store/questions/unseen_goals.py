"""Goals of runs for which no recipe ran: whether make could make them, only make and whoever started it know."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from make_metrics.combine.run import without_dot
from make_metrics.store.compact.texts import Texts, names_of

_BUILD = "SELECT number, goals FROM builds WHERE id = ? AND exit_status = 0"
_SEEN = (
    "SELECT 1 FROM texts JOIN targets ON targets.build = ? AND targets.make = 0 AND targets.name = texts.id "
    "WHERE texts.text = ?"
)


def unseen_goals(connection: sqlite3.Connection, run_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """By run, its goals for which nothing ran: they were up to date, or there is no rule for them.

    Only runs in which no recipe failed, and that have such goals: the exit status of make is unknown there.
    """
    texts = Texts(connection)
    unseen = {}
    for run_id in run_ids:
        row = connection.execute(_BUILD, (run_id,)).fetchone()
        goals = {} if row is None else dict.fromkeys(names_of(texts.text(row[1])))  # a goal may be given twice
        names = tuple(
            goal for goal in goals if connection.execute(_SEEN, (row[0], without_dot(goal))).fetchone() is None
        )
        if names:
            unseen[run_id] = names
    return unseen
