"""Receivers that failed rest for minutes, longer each time."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

import pytest

from make_metrics.files.paths import Paths
from make_metrics.store.sending.resting import Resting
from tests.support.records import paths_in
from tests.support.store import ask

MINUTE_NS = 60_000_000_000


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_in(tmp_path / "mm")


def _fail(receiver: str, connection: sqlite3.Connection) -> None:
    Resting(connection).note_failure(receiver, now_ns=0)


def test_each_failure_doubles_the_rest_up_to_an_hour_and_a_half(paths: Paths) -> None:
    rests = []
    for _ in range(20):
        ask(paths, lambda connection: Resting(connection).note_failure("r", now_ns=0))
        rests.append(ask(paths, lambda connection: Resting(connection).wait_s("r", now_ns=0)))
    for count, rest in enumerate(rests):
        assert min(120 * 2**count, 3_600) <= rest <= min(180 * 2**count, 5_400) + 1
    assert len(set(rests[6:])) > 1  # not all at the same moment


def test_an_answer_ends_a_rest_and_only_its_own(paths: Paths) -> None:
    for receiver in ("r", "s"):
        ask(paths, partial(_fail, receiver))
    ask(paths, lambda connection: Resting(connection).note_answer("r"))
    assert ask(paths, lambda connection: Resting(connection).failures()) == {"s": 1}
    assert ask(paths, lambda connection: Resting(connection).wait_s("r", now_ns=0)) == 0


@pytest.mark.parametrize("now_ns", [4 * MINUTE_NS, -10_000 * MINUTE_NS], ids=["later", "clock set back"])
def test_a_rest_ends(paths: Paths, now_ns: int) -> None:
    ask(paths, lambda connection: Resting(connection).note_failure("r", now_ns=0))
    assert ask(paths, lambda connection: Resting(connection).wait_s("r", now_ns=now_ns)) == 0
