"""Client libraries of others against the receiver: what they acknowledge is stored, once."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rudderstack.analytics as rudder  # type: ignore[import-untyped]
import segment.analytics as segment  # type: ignore[import-untyped]
from sqlalchemy import select

from make_metrics.server.storage.database import open_database
from make_metrics.server.storage.tables import EVENTS, REFUSED
from tests.support import npm
from tests.support.team_receiver import Served, message, served, sqlite_url

NODE = ("@segment/analytics-node", "3.1.0")  # a package of npm
_SCRIPT = """
const { Analytics } = require(process.argv[2]);
const [host, key, person, properties] = process.argv.slice(3);
const client = new Analytics({ host, writeKey: key, flushAt: 50 });
for (let number = 0; number < 120; number++)
  client.track({ anonymousId: person, event: "make.target.run", properties: JSON.parse(properties) });
client.on("error", (error) => { console.error(error); process.exitCode = 1; });
client.closeAndFlush();
"""
PERSON = "2f4a3a0e-6b0c-4d34-9c3a-0f2a51b9d7e1"


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Served]:
    with served(sqlite_url(tmp_path)) as receiver:
        yield receiver


def stored(folder: Path) -> tuple[int, dict[tuple[str, str], int]]:
    """How many events are stored, and what was refused of them."""
    database = open_database(sqlite_url(folder))
    with database.reading() as connection:
        ids = connection.scalars(select(EVENTS.c.message_id)).all()
        columns = (REFUSED.c.property, REFUSED.c.reason, REFUSED.c["count"])
        refused = {(row[0], row[1]): row[2] for row in connection.execute(select(*columns))}
    database.close()
    assert len(set(ids)) == len(ids)
    return len(ids), refused


def test_segment_analytics_python(receiver: Served, tmp_path: Path) -> None:
    client = segment.Client(receiver.key, host=receiver.url, gzip=True, upload_size=50)
    for _ in range(120):
        client.track(anonymous_id=PERSON, event="make.target.run", properties=message(PERSON)["properties"])
    client.flush()
    client.identify("somebody", {"email": "me@example.org"})
    client.flush()
    assert client.shutdown() is None
    count, refused = stored(tmp_path)
    assert count == 120
    assert refused == {("", "is no track message"): 1}
    assert b"me@example.org" not in b"".join(path.read_bytes() for path in tmp_path.glob("events.sqlite3*"))


def test_rudder_sdk_python(receiver: Served, tmp_path: Path) -> None:
    client: Any = rudder.Client(receiver.key, host=receiver.url, gzip=True)
    for _ in range(120):
        client.track(anonymous_id=PERSON, event="make.target.run", properties=message(PERSON)["properties"])
    client.flush()
    client.join()
    count, refused = stored(tmp_path)
    assert (count, refused) == (120, {})


def test_analytics_node(receiver: Served, tmp_path: Path) -> None:
    if reason := npm.cannot_install(*NODE):
        pytest.skip(reason)
    properties = json.dumps(message(PERSON)["properties"])
    words = ["node", "-e", _SCRIPT, "script", str(npm.folder(*NODE)), receiver.url, receiver.key, PERSON, properties]
    done = subprocess.run(words, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert stored(tmp_path) == (120, {})
