"""What the keeper does beside the receiver, in a real thread."""

from __future__ import annotations

import time
from pathlib import Path

from make_metrics.server.keeper import Keeper
from make_metrics.server.storage.database import open_database
from tests.support.team_receiver import sqlite_url, write


def test_it_copies_what_was_written_from_the_log(tmp_path: Path) -> None:
    database, file = open_database(sqlite_url(tmp_path)), Path(sqlite_url(tmp_path).removeprefix("sqlite:///"))
    keeper = Keeper(database)
    keeper.start()
    try:
        for _ in range(10):
            write(database, 400_000)
        end = time.monotonic() + 30
        while file.stat().st_size < 400_000 and time.monotonic() < end:
            time.sleep(0.05)
        assert file.stat().st_size > 400_000
    finally:
        keeper.stop()
        database.close()
