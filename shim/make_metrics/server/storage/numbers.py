"""The numbers that stand for persons, names and cuts in the rows of events."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select, text

from make_metrics.server.storage.rows import Cut
from make_metrics.server.storage.statements import insert
from make_metrics.server.storage.tables import CUTS, NAMES, PEOPLE

MOST_NAMES = 20_000  # of a project: a write key is public, and whoever has it may not fill the disk with names
OVERFLOW = "other"
_REMEMBERED = 200_000


class Times(NamedTuple):
    """When a person's events began: the first, the first success of a goal (None: none), the last. Microseconds."""

    first_us: int
    first_success_us: int | None
    last_us: int


def known_people(connection: Connection, project: int, ids: Collection[str]) -> dict[str, Row[Any]]:
    """The rows of PEOPLE by random id."""
    if not ids:
        return {}
    query = select(PEOPLE).where(PEOPLE.c.project == project, PEOPLE.c.anonymous_id.in_(list(ids)))
    return {row.anonymous_id: row for row in connection.execute(query)}


_UPDATE = text(
    """
    UPDATE people SET
        first_us = CASE WHEN first_us > :first THEN :first ELSE first_us END,
        last_us = CASE WHEN last_us < :last THEN :last ELSE last_us END,
        first_success_us = CASE
            WHEN first_success_us IS NULL OR first_success_us > CAST(:success AS BIGINT)
            THEN coalesce(CAST(:success AS BIGINT), first_success_us)
            ELSE first_success_us END
    WHERE id = :id
    """
)


def people(
    connection: Connection, project: int, seen: Mapping[str, Times], known: Mapping[str, Row[Any]]
) -> dict[str, int]:
    """The numbers of persons by random id: of those that are known, and of new ones. Notes their times.

    The project is locked (`statements.lock_project`).
    """
    there = dict(known)
    if new := [person for person in sorted(seen) if person not in known]:
        rows = [{"project": project, "anonymous_id": person, **seen[person]._asdict()} for person in new]
        connection.execute(insert(connection, PEOPLE).on_conflict_do_nothing(), rows)
        there |= known_people(connection, project, new)  # another receiver may have been first
    changes = [
        {"id": row.id, "first": times.first_us, "success": times.first_success_us, "last": times.last_us}
        for person, row in there.items()
        if (times := seen.get(person)) is not None and _extends(times, row)
    ]
    if changes:
        # In the order of their numbers: two receivers never wait for each other both.
        connection.execute(_UPDATE, sorted(changes, key=lambda change: change["id"]))
    return {person: row.id for person, row in there.items()}


def _extends(times: Times, row: Row[Any]) -> bool:
    success_us = times.first_success_us
    return (
        times.first_us < row.first_us
        or times.last_us > row.last_us
        or (success_us is not None and (row.first_success_us is None or success_us < row.first_success_us))
    )


class Numbers:
    """The numbers of names and cuts that this process knows. They are deleted only with their project."""

    def __init__(self) -> None:
        """Know none yet."""
        self._names: dict[tuple[int, str], int] = {}
        self._cuts: dict[tuple[int, Cut], int] = {}

    def forget(self) -> None:
        """Forget all: the transaction that made some of them was not completed."""
        self._names.clear()
        self._cuts.clear()

    def names(self, connection: Connection, project: int, texts: Iterable[str]) -> dict[str, int]:
        """The numbers of texts. A project that has too many already gives a new one the number of `OVERFLOW`."""
        known, wanted = self._names, set(texts)
        new = sorted(name for name in wanted if (project, name) not in known)
        if new:
            self._make_room()
            self._read_names(connection, project, new)
            count = connection.scalar(select(func.count()).select_from(NAMES).where(NAMES.c.project == project)) or 0
            missing = [name for name in new if (project, name) not in known]
            # The name for all further ones is always there, and does not count.
            added = [*missing[: max(MOST_NAMES - count, 0)], OVERFLOW]
            rows = [{"project": project, "name": name} for name in sorted(set(added))]
            connection.execute(insert(connection, NAMES).on_conflict_do_nothing(), rows)
            self._read_names(connection, project, added)
        other = known.get((project, OVERFLOW), 0)
        return {name: known.get((project, name), other) for name in wanted}

    def _read_names(self, connection: Connection, project: int, texts: Sequence[str]) -> None:
        query = select(NAMES.c.id, NAMES.c.name).where(NAMES.c.project == project, NAMES.c.name.in_(texts))
        self._names |= {(project, row.name): row.id for row in connection.execute(query)}

    def cuts(self, connection: Connection, project: int, wanted: Iterable[Cut]) -> dict[Cut, int]:
        """The numbers of cuts. There are few: each of a cut's values is one of a few."""
        known, wanted = self._cuts, set(wanted)
        new = sorted(cut for cut in wanted if (project, cut) not in known)
        if new:
            self._make_room()
            rows = [{"project": project, **cut._asdict()} for cut in new]
            connection.execute(insert(connection, CUTS).on_conflict_do_nothing(), rows)
            for row in connection.execute(select(CUTS).where(CUTS.c.project == project)):
                known[project, Cut(row.system, row.driver, row.jobs, row.on_default, row.goal)] = row.id
        return {cut: known[project, cut] for cut in wanted}

    def _make_room(self) -> None:
        if len(self._names) + len(self._cuts) > _REMEMBERED:
            self.forget()
