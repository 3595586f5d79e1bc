"""A real receiver of Sentry's protocol on loopback: bugsink, and all that it gets and keeps."""

from __future__ import annotations

import json
import os
import select
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support import sentry_receiver
from tests.support.project import started

_START_S = 60


@dataclass(frozen=True, slots=True)
class Bugsink:
    """A running bugsink: the DSN of its one project, and the folder of everything that it writes."""

    dsn: str
    folder: Path

    def requests(self) -> list[dict[str, Any]]:
        """Each request as it came in: path, headers, body, and the status of the answer."""
        place = self.folder / "requests"
        return [json.loads(line) for line in place.read_text().splitlines()] if place.exists() else []

    def events(self) -> list[dict[str, Any]]:
        """The events that it took, as it keeps them."""
        with closing(sqlite3.connect(f"file:{self.folder}/bugsink.sqlite3?mode=ro", uri=True)) as connection:
            rows = connection.execute("SELECT data FROM events_event ORDER BY digest_order, id")
            return [json.loads(data) for (data,) in rows]

    def everything(self) -> str:
        """All text that it has received or kept: each request, and each value of each row of its database.

        Not the bytes of its files: some of them are compiled Python, where a short word stands by chance.
        """
        with closing(sqlite3.connect(f"file:{self.folder}/bugsink.sqlite3?mode=ro", uri=True)) as connection:
            tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
            rows = [row for (table,) in tables for row in connection.execute(f'SELECT * FROM "{table}"')]  # noqa: S608 - its own tables
        kept = (value.decode("latin-1") if isinstance(value, bytes) else str(value) for row in rows for value in row)
        return "\n".join([*(json.dumps(request) for request in self.requests()), *kept])


@contextmanager
def bugsink(folder: Path) -> Iterator[Bugsink]:
    """Bugsink, with nothing in it; skips the test where it cannot be installed."""
    try:
        sentry_receiver.install()
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"bugsink cannot be installed: {error}")
    shutil.copy(sentry_receiver.database(), folder / "bugsink.sqlite3")
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    words = sentry_receiver.serving(folder)
    with (
        (folder / "errors").open("wb") as errors,
        started(
            subprocess.Popen(
                words, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        ) as server,
    ):
        assert server.stdout is not None
        assert select.select([server.stdout], [], [], _START_S)[0], "bugsink does not start"
        dsn = server.stdout.readline().strip()
        assert dsn, (folder / "errors").read_text()
        yield Bugsink(dsn, folder)
