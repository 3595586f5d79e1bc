"""A team's events in each kind of database, made once for all tests that only look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from make_metrics.server.storage.database import open_database
from tests.support.team_pages import Team, team
from tests.support.team_receiver import sqlite_url


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def looked_at(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    """A team's events; for looking only."""
    if request.param == "sqlite":
        url = sqlite_url(Path(tmp_path_factory.mktemp("team")))
    else:
        url = request.getfixturevalue("postgresql_server").create()
    database = open_database(url)
    yield Team(database, team(database))
    database.close()
