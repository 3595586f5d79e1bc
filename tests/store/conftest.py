"""What the tests of the store share."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from make_metrics.store import database


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection to an empty store with migrated tables."""
    with closing(database.connect(tmp_path / "store")) as connection:
        yield connection
