"""Storing batches: each event once, in one transaction with the marks that the roll-ups need."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Collection, Sequence
from operator import attrgetter

from sqlalchemy import Connection, select

from make_metrics.server.storage import rollups
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.numbers import Numbers, Times, known_people, people
from make_metrics.server.storage.partitions import Months
from make_metrics.server.storage.rows import Batch, ChoiceRow, Row
from make_metrics.server.storage.statements import insert, insert_choices, insert_events, lock_project
from make_metrics.server.storage.tables import DAY_US, ERASED, PROJECTS, REFUSED

_MOST_REASONS = 300  # rows of a project and day: whoever sends nonsense may not fill the disk
_OTHER = "(other)"


def digest(project: int, person: str) -> str:
    """What is kept of an erased id: enough to know it again, too little to find it out."""
    return hashlib.sha256(f"{project}/{person}".encode()).hexdigest()


class Writer:
    """Stores batches in a database, and remembers what numbers stand for. One thread uses it."""

    def __init__(self, database: Database) -> None:
        """Remember nothing yet."""
        self._database = database
        self._numbers = Numbers()
        self._months = Months()

    def store(self, batches: Sequence[Batch]) -> int:
        """Store batches durably, all or none; the number of events that were not there yet. Raises AwayError.

        Batches of a project that was deleted, and events of a person that was erased, are left out.
        """
        try:
            self._make_partitions(batches)
            with self._database.writing() as connection:
                return sum(
                    self._store(connection, project, [batch for batch in batches if batch.project == project])
                    for project in sorted({batch.project for batch in batches})
                )
        except BaseException:
            self._numbers.forget()  # the transaction may have made some of them
            self._months.forget()
            raise

    def _make_partitions(self, batches: Sequence[Batch]) -> None:
        if not self._database.is_postgresql:
            return
        months = self._months.missing([row.started_us for batch in batches for row in batch.rows])
        if months:
            with self._database.writing() as connection:
                self._months.make(connection, months)
            self._months.know(months)

    def _store(self, connection: Connection, project: int, batches: Sequence[Batch]) -> int:
        lock_project(connection, project, alone=False)
        if connection.scalar(select(PROJECTS.c.id).where(PROJECTS.c.id == project)) is None:
            return 0
        rows = [row for batch in batches for row in batch.rows]
        choices = [choice for batch in batches for choice in batch.choices]
        times = _times(rows, choices)
        # Also of those that are known: while an erasure goes on, the person is still there.
        if erased := _erased(connection, project, times.keys()):
            rows = [row for row in rows if row.person not in erased]
            choices = [choice for choice in choices if choice.person not in erased]
            times = {person: seen for person, seen in times.items() if person not in erased}
        known = known_people(connection, project, times.keys())
        numbers = people(connection, project, times, known)
        texts = {text for row in rows for text in (row.target, row.event)} | {choice.event for choice in choices}
        names = self._numbers.names(connection, project, texts)
        cuts = self._numbers.cuts(connection, project, {row.cut for row in rows})
        # In the order of their keys: two receivers that store the same events never wait for each other both.
        rows.sort(key=attrgetter("message_id", "started_us"))
        choices.sort(key=attrgetter("message_id"))
        new = insert_events(connection, project, rows, numbers, names, cuts)
        insert_choices(connection, project, choices, numbers, names)
        if new:
            rollups.mark(connection, {(project, row.started_us // DAY_US) for row in rows})
        _count(connection, project, [batch.refused for batch in batches])
        return new


def _times(rows: Sequence[Row], choices: Sequence[ChoiceRow]) -> dict[str, Times]:
    """When each person's events began; those of test data count as well."""
    by_person: dict[str, list[Row]] = {}
    for row in rows:
        by_person.setdefault(row.person, []).append(row)
    times = {person: _times_of(theirs) for person, theirs in by_person.items()}
    for choice in choices:
        times.setdefault(choice.person, Times(choice.at_us, None, choice.at_us))
    return times


def _times_of(rows: Sequence[Row]) -> Times:
    began = [row.started_us for row in rows]
    succeeded = [row.started_us for row in rows if row.goal and row.status == 0]
    return Times(min(began), min(succeeded, default=None), max(began))


def _erased(connection: Connection, project: int, ids: Collection[str]) -> set[str]:
    """Those of these random ids that were erased."""
    digests = {digest(project, person): person for person in ids}
    if not digests:
        return set()
    query = select(ERASED.c.digest).where(ERASED.c.project == project, ERASED.c.digest.in_(list(digests)))
    return {digests[found] for found in connection.scalars(query)}


def _count(connection: Connection, project: int, counters: Sequence[Counter[tuple[str, str]]]) -> None:
    """Add to what was refused today."""
    refused: Counter[tuple[str, str]] = Counter()
    for counter in counters:
        refused.update(counter)
    if not refused:
        return
    day = time.time_ns() // 1000 // DAY_US
    today = (REFUSED.c.project == project, REFUSED.c.day == day)
    rows = connection.execute(select(REFUSED.c.property, REFUSED.c.reason).where(*today)).all()
    there = {(row.property, row.reason) for row in rows}
    room = _MOST_REASONS - len(there)
    counts: Counter[tuple[str, str]] = Counter()
    for key, count in sorted(refused.items()):
        if key not in there and key not in counts:
            room -= 1
        counts[key if key in there or room >= 0 else (_OTHER, "is not declared")] += count
    statement = insert(connection, REFUSED)
    statement = statement.on_conflict_do_update(
        index_elements=["project", "day", "property", "reason"],
        set_={"count": REFUSED.c.count + statement.excluded.count},
    )
    values = [
        {"project": project, "day": day, "property": name, "reason": reason, "count": count}
        for (name, reason), count in sorted(counts.items())
    ]
    connection.execute(statement, values)
