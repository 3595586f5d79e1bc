"""Data health: who takes part, which versions, what was refused and why, and what is deleted next."""

from __future__ import annotations

from make_metrics.server.pages.filters import day_text
from make_metrics.server.pages.questions.people import health, refused, versions
from make_metrics.server.pages.sections import HIDDEN, Column, Section, View, moment
from make_metrics.server.pages.views.asked import Asked
from make_metrics.server.storage.tables import DAY_US

DEFAULT_DAYS = 28
_FACTS = (Column("what", "what"), Column("value", "value"))
_VERSIONS = (
    Column("event_version", "version", "text"),
    Column("people", "people", "count"),
    Column("runs", "events", "count"),
)
_REFUSED = (
    Column("property", "property"),
    Column("reason", "reason"),
    Column("times", "times", "count"),
    Column("last_day", "last", "day"),
)


def view(asked: Asked) -> View:
    """The page."""
    scope = asked.scope
    held = health(asked.connection, scope)
    there = versions(asked.connection, scope)
    shown = [row for row in there if not scope.hides(row[1])]
    deletion = "nothing is held"
    if held.oldest_day is not None:
        day = max(held.oldest_day + asked.retention_days + 1, asked.now_us // DAY_US)
        deletion = f"events of {day_text(held.oldest_day)}, on {day_text(day)}"
    few = scope.hides(held.active)
    facts = [
        ("participants in the period", _people(held.active, scope.smallest)),
        ("ids that are known", _people(held.people, scope.smallest)),
        ("events in the period", HIDDEN if few and held.active else f"{held.runs:,}"),
        ("yes in the period", _people(held.agreed, scope.smallest)),
        ("no in the period", _people(held.withdrawn, scope.smallest)),
        ("last event (UTC)", "none" if held.last_us is None else moment(held.last_us)),
        ("kept for", f"{asked.retention_days} days"),
        ("deleted next", deletion),
        ("days whose numbers are being made again", str(held.waiting_days)),
    ]
    return View(
        "Data health",
        "What comes in, and what happens to it. A property that is not declared, or has a wrong value, is refused; "
        "the rest of its event is kept. Where no property is named the whole event was refused.",
        [
            Section("facts", "What is held", _FACTS, facts),
            Section("versions", "Versions of the list of properties", _VERSIONS,
                    [(str(row[0]), *row[1:]) for row in shown], hidden=len(there) - len(shown)),
            Section("refused", "Refused", _REFUSED, [(name or "(the event)", *rest) for name, *rest in
                    refused(asked.connection, scope)]),
        ],
        cuts=False,
    )  # fmt: skip


def _people(count: int, smallest: int) -> str:
    return HIDDEN if 0 < count < smallest else f"{count:,}"
