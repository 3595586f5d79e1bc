"""What the tests of the receiver's storage share: a moment, two people, and storing and counting without a receiver."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select

from make_metrics.server.receiving.messages import check, limits
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.tables import EVENTS
from make_metrics.server.storage.write import Writer

NOW = datetime.now(UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000
ALICE, BOB = str(uuid.UUID(int=1, version=4)), str(uuid.UUID(int=2, version=4))


def count(database: Database, table: Any = EVENTS) -> int:
    """How many rows a table has."""
    with database.reading() as connection:
        return int(connection.scalar(select(func.count()).select_from(table)) or 0)


def store(database: Database, some: list[Any], project: int = 1) -> int:
    """Store messages as a receiver does that takes those of the last ten years; how many were new."""
    return Writer(database).store([check(project, some, limits(NOW_US, 3_650))])
