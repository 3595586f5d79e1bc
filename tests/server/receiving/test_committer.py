"""Killed at any moment: every acknowledged event is there once, and every other one after it came again."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from make_metrics.server.projects.projects import add_project
from make_metrics.server.storage.database import open_database
from make_metrics.server.storage.rollups import refresh
from make_metrics.server.storage.tables import DAYS, EVENTS
from tests.support.postgresql import Server, serving
from tests.support.team_receiver import Forked, messages, post_batch, sqlite_url, wait_ready

_CLIENTS = 3
_BATCH = 20
_LEAST_S, _MOST_S = 0.02, 0.25  # from a round's start to its kill


class Senders:
    """Clients that send batch after batch, and each one again until it is acknowledged, to any of several receivers."""

    def __init__(self, ports: list[int], key: str) -> None:
        self._ports, self._key = ports, key
        self._ended = threading.Event()
        self.acknowledged: set[str] = set()
        self.repeated = 0
        self._threads = [threading.Thread(target=self._run, args=(seed,)) for seed in range(_CLIENTS)]

    def __enter__(self) -> Senders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(120)
            assert not thread.is_alive()

    def until_acknowledged(self, count: int) -> None:
        """Wait until so many events were acknowledged."""
        until = time.monotonic() + 120
        while len(self.acknowledged) < count:
            assert time.monotonic() < until
            time.sleep(0.02)

    def _run(self, seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311
        while not self._ended.is_set():
            batch = messages(_BATCH, seed=seed)
            while not self._accepted(chance.choice(self._ports), batch):
                self.repeated += 1
                time.sleep(0.01)
            self.acknowledged.update(message["messageId"] for message in batch)

    def _accepted(self, port: int, batch: list[dict[str, Any]]) -> bool:
        try:
            answer = post_batch(port, self._key, batch, packed=True, timeout_s=10)
        except (OSError, http.client.HTTPException):
            return False
        assert answer.status in (200, 500, 503), answer
        return answer.status == 200


def each_is_there_once(url: str, senders: Senders) -> None:
    database = open_database(url)
    with database.reading() as connection:
        stored = list(connection.scalars(select(EVENTS.c.message_id)))
    assert (len(stored), set(stored)) == (len(senders.acknowledged), senders.acknowledged)
    refresh(database)
    with database.reading() as connection:
        real = connection.scalar(select(func.count()).select_from(EVENTS).where(EVENTS.c.is_test == "no"))
        assert connection.scalar(select(func.sum(DAYS.c.runs))) == real
    database.close()


def kill_again_and_again(rounds: int, receivers: list[Forked], kill: Callable[[int], None]) -> None:
    chance = random.Random(rounds)  # noqa: S311
    for number in range(rounds):
        for receiver in receivers:
            wait_ready(receiver.port)
        time.sleep(chance.uniform(_LEAST_S, _MOST_S))
        kill(number)
    for receiver in receivers:
        wait_ready(receiver.port)


def project_in(url: str) -> str:
    database = open_database(url)
    key = add_project(database, "a")
    database.close()
    return key


def test_killing_the_receiver_loses_and_doubles_nothing(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    key = project_in(url)
    receiver = Forked(url)

    def kill(number: int) -> None:
        receiver.kill()
        receiver.start()

    receiver.start()
    try:
        with Senders([receiver.port], key) as senders:
            kill_again_and_again(10, [receiver], kill)
    finally:
        receiver.kill()
    assert senders.repeated
    each_is_there_once(url, senders)


@pytest.mark.parametrize("what", ["receivers", "database"])
def test_killing_one_of_two_receivers_or_their_database_loses_and_doubles_nothing(
    postgresql_server: Server, what: str
) -> None:
    url = postgresql_server.create()
    key = project_in(url)
    receivers = [Forked(url), Forked(url)]

    def kill(number: int) -> None:
        if what == "database":
            postgresql_server.kill()
            postgresql_server.start()
        else:
            receivers[number % 2].kill()
            receivers[number % 2].start()

    for receiver in receivers:
        receiver.start()
    try:
        with Senders([receiver.port for receiver in receivers], key) as senders:
            kill_again_and_again(6 if what == "database" else 15, receivers, kill)
    finally:
        for receiver in receivers:
            receiver.kill()
    assert senders.repeated
    each_is_there_once(url, senders)


@pytest.mark.minute
@pytest.mark.usefixtures("postgresql_server")  # which skips where there is none
def test_a_replica_that_is_promoted_under_load_has_all_that_was_acknowledged() -> None:
    # A server of its own: the shared one would wait for a replica in the tests that follow.
    with serving() as primary, serving(replica_of=primary) as replica:
        url = primary.url_with(replica, primary.create())
        key = project_in(url)
        primary.replicates_synchronously()
        receivers = [Forked(url), Forked(url)]
        try:
            for receiver in receivers:
                receiver.start()
                wait_ready(receiver.port)
            with Senders([receiver.port for receiver in receivers], key) as senders:
                senders.until_acknowledged(200)
                primary.kill()
                before = len(senders.acknowledged)
                replica.execute("SELECT pg_promote()")
                senders.until_acknowledged(before + 200)
        finally:
            for receiver in receivers:
                receiver.kill()
        assert senders.repeated
        each_is_there_once(url, senders)
