"""A small team's events, what the pages say of them, and the same computed from the events by plain Python."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from make_metrics.server.pages.app import VIEWS
from make_metrics.server.pages.filters import Filters
from make_metrics.server.pages.questions.scope import scope_of
from make_metrics.server.pages.sections import Section, View
from make_metrics.server.pages.views.asked import Asked
from make_metrics.server.projects.projects import add_project
from make_metrics.server.receiving.importing import import_messages
from make_metrics.server.storage.buckets import bucket, middle_ms
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.erasing import erase
from make_metrics.server.storage.rollups import refresh
from tests.support.team_receiver import message

PROJECT = "team"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Read once: events are before this moment and pages end on this day, whatever the clock says by then.
MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
TODAY = (MIDNIGHT - EPOCH).days
# Some are hidden where three people are the least: only the first two persons run "rare".
TARGETS = ("all", "test", "lint", "docs", "rare")
SMALLEST = 3
# Links that limit pages in each way.
FILTERS = (
    Filters(),
    Filters(days=7),
    Filters(days=91),
    Filters(days=364, until=TODAY - 20),
    Filters(system="linux", branch="default"),
    Filters(jobs=4, goal="yes", days=91),
    Filters(driver="unknown", branch="unknown"),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as plain Python sees it."""

    person: str
    target: str
    day: int
    started: datetime
    own_ms: int
    whole_ms: int
    status: int
    goal: bool
    jobs: int | None
    system: str | None
    driver: str | None
    on_default: bool | None
    message_id: str

    @property
    def failed(self) -> bool:
        return self.status not in (0, -2, 130)

    @property
    def given_up(self) -> bool:
        return self.status in (-2, 130)


class Team(NamedTuple):
    """A database, and the events that count in it."""

    database: Database
    events: list[Seen]


def team_messages(seed: int, count: int = 700, *, people: int = 6, days: int = 60) -> list[dict[str, Any]]:
    """Made-up messages; each person has a system of its own, and some were sent for a test."""
    chance = random.Random(seed)  # noqa: S311
    ids = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(people)]
    sent = []
    for _ in range(count):
        number = chance.randrange(people)
        whole = int(chance.lognormvariate(7, 1.5))
        target = chance.choice(TARGETS if number < 2 else TARGETS[:-1])
        ago = chance.randrange(days) if target != "docs" else chance.randrange(45, 60)
        sent.append(
            message(
                ids[number],
                target=target,
                at=MIDNIGHT - timedelta(days=ago) + timedelta(seconds=chance.randrange(86_400) if ago else 0),
                duration_ms=whole,
                recipe_ms=whole // 2,
                exit_status=chance.choice([0, 0, 0, 0, 2, 1, -2, 130, -9]),
                git_checked_out_master=chance.choice([True, False, None]),
                git_commit_time=(MIDNIGHT - timedelta(days=ago, minutes=ago)).isoformat(timespec="seconds"),
                goal=chance.random() < 0.5,
                jobs=chance.choice([None, 0, 1, 4, 6, 500]),
                os=("linux", "macos", None)[number % 3],
                driver=chance.choice([None, "person", "ci"]),
                is_test=chance.choice(["no"] * 9 + ["yes"]),
                event_version=chance.choice([1, 2]),
            )
        )
    return sent


def seen(messages: Iterable[Mapping[str, Any]]) -> list[Seen]:
    """The events that count: each once, and none of a test."""
    events = {}
    for each in messages:
        values = each["properties"]
        if values["is_test"] != "no":
            continue
        started = datetime.fromisoformat(values["start_time"])
        events[each["messageId"]] = Seen(
            each["anonymousId"],
            values["command"],
            (started - EPOCH).days,
            started,
            values["recipe_ms"],
            values["duration_ms"],
            values["exit_status"],
            values["goal"],
            values.get("jobs"),
            values.get("os"),
            values.get("driver"),
            values.get("git_checked_out_master"),
            each["messageId"],
        )
    return sorted(events.values(), key=lambda event: (event.started, event.message_id))


def deliver(database: Database, messages: Sequence[dict[str, Any]], seed: int) -> None:
    """Bring messages in pieces, in any order, some twice; the numbers are made between the pieces as well."""
    chance = random.Random(seed)  # noqa: S311
    order = [*messages, *chance.sample(messages, len(messages) // 5)]
    chance.shuffle(order)
    for start in range(0, len(order), 300):
        import_messages(database, PROJECT, order[start : start + 300])
        refresh(database)


def team(database: Database, seed: int = 1) -> list[Seen]:
    """Fill a database with a team's events, erase one person again, and bring some late; what counts of it all."""
    add_project(database, PROJECT)
    messages = team_messages(seed)
    gone = messages[0]["anonymousId"]
    late = messages[-40:]
    deliver(database, messages[:-40], seed)
    erase(database, gone)
    deliver(database, late, seed)
    return [event for event in seen(messages) if event.person != gone]


def view_of(database: Database, name: str, filters: Filters | None = None, *, smallest: int = SMALLEST) -> View:
    """A page as values."""
    filters = filters or Filters()
    with database.reading() as connection:
        scope = scope_of(connection, 1, filters, smallest=smallest, today=TODAY, days=VIEWS[name].default_days)
        asked = Asked(
            connection=connection,
            scope=scope,
            filters=filters,
            now_us=TODAY * 86_400_000_000,
            retention_days=365,
        )
        return VIEWS[name].view(asked)


def section_of(view: View, key: str) -> Section:
    """A section of a page."""
    return next(section for section in view.sections if section.key == key)


def rows_of(view: View, key: str) -> list[tuple[Any, ...]]:
    """The rows of a section's table."""
    return [tuple(row) for row in section_of(view, key).rows]


def within(events: Iterable[Seen], filters: Filters, days: int, *, before: bool = False) -> list[Seen]:
    """The events of a page's period and cut, or of the period before."""
    days = filters.days or days
    last = (TODAY if filters.until is None else filters.until) - days * before
    return [event for event in events if last - days < event.day <= last and _is_in_cut(event, filters)]


def _is_in_cut(event: Seen, filters: Filters) -> bool:
    branch = {True: "default", False: "other", None: "unknown"}[event.on_default]
    jobs = {None: -1, 0: 0, 1: 1, 4: 4, 6: 4, 500: 64}[event.jobs]
    return (
        filters.system in ("", event.system or "unknown")
        and filters.driver in ("", event.driver or "unknown")
        and filters.jobs in (None, jobs)
        and filters.branch in ("", branch)
        and filters.goal in ("", "yes" if event.goal else "no")
    )


def people(events: Iterable[Seen]) -> int:
    """How many people are behind events."""
    return len({event.person for event in events})


def quantile(events: Iterable[Seen], share: float, *, whole: bool = False) -> float | None:
    """A quantile of the durations of runs that passed, as exact as buckets are."""
    times = sorted(event.whole_ms if whole else event.own_ms for event in events if not event.status)
    return middle_ms(bucket(times[int(share * (len(times) - 1))])) if times else None


def step_of(days: int) -> int:
    """How many days a point of a chart over so many days stands for."""
    return 1 if days <= 28 else 7 if days <= 91 else 28


def by(events: Iterable[Seen], key: Callable[[Seen], Any]) -> dict[Any, list[Seen]]:
    """Events by something."""
    groups: dict[Any, list[Seen]] = {}
    for event in events:
        groups.setdefault(key(event), []).append(event)
    return groups


def then_passed(events: Sequence[Seen], chosen: Iterable[Seen]) -> int:
    """How many of the chosen ones failed while the person's next event of the target on that day passed."""
    following: dict[str, Seen] = {}
    for group in by(events, lambda event: (event.person, event.target, event.day)).values():
        following |= {first.message_id: second for first, second in pairwise(group)}
    return sum(
        event.failed and event.message_id in following and not following[event.message_id].status for event in chosen
    )
