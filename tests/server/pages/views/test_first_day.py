from __future__ import annotations

import uuid
from datetime import timedelta

from make_metrics.server.pages.filters import Filters
from make_metrics.server.projects.projects import add_project
from make_metrics.server.storage.database import Database
from tests.support.team_pages import MIDNIGHT, PROJECT, deliver, rows_of, view_of
from tests.support.team_receiver import message

# How long after the first run, which fails, the first success comes; None: never.
DELAYS = (0, 30, 30, 30, 500, 3_000, 3_000, 3_000, 40_000, 300_000, 2_000_000, None, None, None)


def test_new_ids_are_counted_by_how_long_the_first_success_took(database: Database) -> None:
    add_project(database, PROJECT)
    sent = []
    for delay in DELAYS:
        person, first = str(uuid.uuid4()), MIDNIGHT - timedelta(days=30, hours=-3)
        sent.append(message(person, at=first, exit_status=0 if delay == 0 else 2))
        # The success of a target that nobody asked for does not count.
        sent.append(message(person, at=first + timedelta(seconds=5), goal=False))
        if delay:
            sent.append(message(person, at=first + timedelta(seconds=delay)))
    deliver(database, sent, 3)
    (row,) = rows_of(view_of(database, "first-day", smallest=0), "weeks")
    assert row[1:] == (14, 9 / 14, 4, 1, 3, 1, 1, 1, 3)
    (row,) = rows_of(view_of(database, "first-day"), "weeks")
    assert row[1:] == (14, 9 / 14, 4, "·", 3, "·", "·", "·", 3)
    assert rows_of(view_of(database, "first-day", smallest=15), "weeks") == []
    assert rows_of(view_of(database, "first-day", Filters(days=7)), "weeks") == []
