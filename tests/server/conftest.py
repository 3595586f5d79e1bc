"""Fixtures of the receiver's tests: both databases, empty and open."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from make_metrics.server.storage.database import Database, open_database
from tests.support import postgresql
from tests.support.postgresql import Server
from tests.support.team_receiver import sqlite_url


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[Server]:
    """One PostgreSQL for all tests of a process."""
    if postgresql.programs() is None:
        pytest.skip(postgresql.MISSING)
    with postgresql.serving() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind in turn."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path)
    server: Server = request.getfixturevalue("postgresql_server")
    return server.create()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The same, open."""
    database = open_database(database_url)
    yield database
    database.close()
