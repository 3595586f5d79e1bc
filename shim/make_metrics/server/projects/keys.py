"""Which project a write key belongs to, remembered for a few seconds: every request asks."""

from __future__ import annotations

import time
from typing import NamedTuple

from sqlalchemy import select

from make_metrics.server.storage.database import Database
from make_metrics.server.storage.tables import PROJECTS, WRITE_KEYS

_REMEMBERED_S = 2.0
_MOST = 10_000


class Receiving(NamedTuple):
    """What a request needs to know of its project."""

    project: int
    retention_days: int
    disabled: bool


class Keys:
    """Looks up write keys. A key is public, so no comparison of it needs to take the same time for all."""

    def __init__(self, database: Database) -> None:
        """Know no key yet."""
        self._database = database
        self._known: dict[str, tuple[float, Receiving]] = {}

    def remembered(self, key: str) -> Receiving | None:
        """The project of a key that was looked up moments ago; None if it must be looked up."""
        at, receiving = self._known.get(key, (0.0, None))
        return receiving if receiving and time.monotonic() - at < _REMEMBERED_S else None

    def look_up(self, key: str) -> Receiving | None:
        """The project of a key; None if no project has it, or no longer. Raises AwayError."""
        columns = (PROJECTS.c.id, PROJECTS.c.retention_days, PROJECTS.c.disabled, WRITE_KEYS.c.until_us)
        query = select(*columns).join(WRITE_KEYS, WRITE_KEYS.c.project == PROJECTS.c.id).where(WRITE_KEYS.c.key == key)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None or (row.until_us is not None and row.until_us <= time.time_ns() // 1000):
            self._known.pop(key, None)
            return None
        if len(self._known) > _MOST:
            self._known.clear()
        receiving = Receiving(row.id, row.retention_days, row.disabled)
        self._known[key] = (time.monotonic(), receiving)
        return receiving
