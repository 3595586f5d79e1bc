from __future__ import annotations

from make_metrics.server.pages.filters import Filters
from make_metrics.server.projects.projects import add_project
from make_metrics.server.receiving.importing import import_messages
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.rollups import refresh
from tests.support.team_pages import PROJECT, TODAY, Team, people, rows_of, team_messages, view_of, within
from tests.support.team_receiver import message


def test_participants_and_last_event_are_those_of_the_events(looked_at: Team) -> None:
    view = view_of(looked_at.database, "health", Filters(days=91))
    facts = dict(rows_of(view, "facts"))
    events = within(looked_at.events, Filters(days=91), 28)
    assert facts["participants in the period"] == str(people(events))
    assert facts["events in the period"] == str(len(events))
    assert facts["kept for"] == "365 days"
    assert facts["days whose numbers are being made again"] == "0"
    versions = rows_of(view, "versions")
    assert [row[0] for row in versions] == ["2", "1"]
    assert sum(row[2] for row in versions) == len(events)


def test_what_was_refused_is_named_with_its_reason(database: Database) -> None:
    add_project(database, PROJECT)
    person = team_messages(1, 1)[0]["anonymousId"]
    sent = [message(person, shoe_size=43), message(person, duration_ms="long"), {"type": "track"}]
    import_messages(database, PROJECT, sent)
    refresh(database)
    view = view_of(database, "health", Filters(until=TODAY + 1))  # midnight may have passed
    rows = {row[0]: row[1:] for row in rows_of(view, "refused")}
    if rows:  # an import tells its user; only what comes in by HTTP is kept
        assert rows["shoe_size"][1:] in ((1, TODAY), (1, TODAY + 1))
        assert "(the event)" in rows
    # One person is not shown.
    assert dict(rows_of(view, "facts"))["participants in the period"] == "·"
