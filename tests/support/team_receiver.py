"""A receiver for tests: `make-metrics serve` as a process of its own, or its application forked from a loaded one."""

from __future__ import annotations

import base64
import contextlib
import gzip
import http.client
import json
import multiprocessing
import os
import random
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from make_metrics.server.storage.database import Database
from tests.support.project import SOURCE

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.support.forked_receiver"])


def write(database: Database, size: int) -> None:
    """A transaction of so many bytes, in a SQLite database."""
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE IF NOT EXISTS filler (id INTEGER PRIMARY KEY, bytes BLOB)"))
        connection.execute(text("INSERT OR REPLACE INTO filler VALUES (1, randomblob(:size))"), {"size": size})


def message(person: str, *, target: str = "all", at: datetime | None = None, **properties: Any) -> dict[str, Any]:
    """A message as our sender makes it, with an id of its own."""
    begun = at or datetime.now(UTC) - timedelta(minutes=5)
    values = {
        "command": target,
        "command_type": "make",
        "duration_ms": 1_200,
        "exit_status": 0,
        "git_checked_out_master": True,
        "git_commit_time": "2026-05-17T19:44:09+02:00",
        "is_test": "no",
        "start_time": begun.isoformat(timespec="microseconds"),
        "goal": True,
        "recipe_ms": 800,
        "recipe_lines": 3,
        "make_level": 0,
        "parallel": False,
        "run_id": str(uuid.uuid4()),
        "event_version": 2,
        **properties,
    }
    return {
        "type": "track",
        "event": "make.target.run",
        "anonymousId": person,
        "messageId": str(uuid.uuid4()),
        "timestamp": (begun + timedelta(seconds=1)).isoformat(timespec="microseconds"),
        "properties": {name: value for name, value in values.items() if value is not None},
    }


def messages(count: int, seed: int = 1, *, people: int = 5, targets: int = 6, days: int = 5) -> list[dict[str, Any]]:
    """Made-up messages, the same for a seed but for their ids."""
    chance = random.Random(seed)  # noqa: S311
    ids = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(people)]
    now = datetime.now(UTC)
    return [
        message(
            chance.choice(ids),
            target=f"target{chance.randrange(targets)}",
            at=now - timedelta(seconds=chance.randrange(days * 86_400)),
            duration_ms=(whole := int(chance.lognormvariate(7, 1.5))),
            recipe_ms=whole // 2,
            exit_status=chance.choice([0, 0, 0, 0, 2, 1, -2, 130, -9]),
            git_checked_out_master=chance.choice([True, False, None]),
            goal=chance.random() < 0.5,
            jobs=chance.choice([None, 0, 1, 4, 8, 500]),
            os=chance.choice([None, "linux", "macos"]),
            driver=chance.choice([None, "person", "ci"]),
            is_test=chance.choice(["no"] * 9 + ["yes"]),
        )
        for _ in range(count)
    ]


@dataclass(slots=True)
class Answer:
    """One answer."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document


def basic(key: str) -> dict[str, str]:
    """The header with a write key."""
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def request(
    port: int,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    *,
    timeout_s: float = 30,
) -> Answer:
    """Make a request on a connection of its own; raises OSError or HTTPException where there is no answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


def post_batch(port: int, key: str, batch: Sequence[Any], *, packed: bool = False, timeout_s: float = 30) -> Answer:
    """Post a batch."""
    body = json.dumps({"batch": list(batch), "sentAt": "2026-01-01T00:00:00Z"}).encode()
    headers = {"Content-Type": "application/json", **basic(key)}
    if packed:
        body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
    return request(port, "POST", "/v1/batch", body, headers, timeout_s=timeout_s)


class Served:
    """`make-metrics serve` as its user starts it. `said` is what it printed at start."""

    def __init__(self, database: str, *words: str) -> None:
        environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
        command = [sys.executable, "-m", "make_metrics", "serve", "--port", "0", "--database", database, *words]
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ, text=True
        )
        lines: list[str] = []
        assert self.process.stdout is not None
        while not (lines and ("erasure = true" in lines[-1] or "write keys" in lines[-1])):
            line = self.process.stdout.readline()
            assert line, (lines, self.process.stderr and self.process.stderr.read())
            lines.append(line)
        self.said = "".join(lines)
        self.url = self._after("address: ").rstrip("/")
        port = self.url.rpartition(":")[2]
        self.port = int(port) if port.isdecimal() else 0  # another address is shown where a proxy stands in front
        self.key = self._after('write-key = "').rstrip('"') if 'write-key = "' in self.said else ""
        self.token = self._after("viewing token: ").split()[0] if "viewing token: " in self.said else ""

    def _after(self, words: str) -> str:
        return self.said.partition(words)[2].partition("\n")[0]

    def ready(self) -> None:
        wait_ready(self.port)

    def end(self) -> str:
        """End it by SIGTERM once it is ready; what it said on standard error."""
        self.process.send_signal(signal.SIGTERM)
        said = self.process.communicate(timeout=60)[1]
        assert self.process.returncode == 0, said
        return said


@contextlib.contextmanager
def served(database: str, *words: str) -> Iterator[Served]:
    """A receiver that is ready, for the length of a `with` block."""
    receiver = Served(database, *words)
    try:
        receiver.ready()
        yield receiver
    finally:
        receiver.process.kill()
        receiver.process.communicate()


def wait_ready(port: int, *, timeout_s: float = 60) -> None:
    """Wait until a receiver can store events."""
    until = time.monotonic() + timeout_s
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if request(port, "GET", "/readyz", timeout_s=5).status == 200:
                return
        assert time.monotonic() < until
        time.sleep(0.01)


class Forked:
    """A receiver that starts in milliseconds, on a port that stays the same when it is started again."""

    def __init__(self, database: str, *, tick_s: float = 10) -> None:
        self._database, self._tick_s = database, tick_s
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self._process: Any = None

    def start(self) -> None:
        from tests.support.forked_receiver import run

        self._process = _FORKS.Process(target=run, args=(self._database, self.port, self._tick_s), daemon=True)
        self._process.start()

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def sqlite_url(folder: Path) -> str:
    """The URL of a database in a folder."""
    return f"sqlite:///{folder / 'events.sqlite3'}"
