"""What waits is read in pages, each message once; receivers that failed rest for minutes, longer each time."""

from __future__ import annotations

import sqlite3
from functools import partial
from pathlib import Path

import pytest

from make_metrics.deliver.waiting import Resting, count_waiting, pages
from make_metrics.files.paths import Paths
from make_metrics.store.outbox import Entry, Outbox
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


def test_each_message_is_in_one_page_also_if_pages_are_accepted_meanwhile(tmp_path: Path) -> None:
    def fill_and_read(connection: sqlite3.Connection) -> list[list[str]]:
        outbox = Outbox(connection)
        for project, sink in (("p", "s"), ("q", "s"), ("p", "t")):
            for number in range(25):
                outbox.put([Entry(sink, project, f"{project}{sink}{number:02}", {})], now_ns=number // 10)
        outbox.set_aside(Entry("s", "p", "ps03", {}), "refused")
        assert count_waiting(connection, "p", "s") == 24
        read = []
        for page in pages(connection, "p", "s", messages=10):
            read.append([entry.message_id for entry in page])
            for entry in page:
                outbox.set_aside(entry, "refused")
        return read

    read = ask(paths_in(tmp_path / "mm"), fill_and_read)
    assert list(map(len, read)) == [10, 10, 4]
    assert [name for page in read for name in page] == [f"ps{number:02}" for number in range(25) if number != 3]


@pytest.mark.parametrize("query", ["page", "projects"])
def test_an_index_finds_what_waits(tmp_path: Path, query: str) -> None:
    texts: list[str] = []

    def plan(connection: sqlite3.Connection) -> list[str]:
        connection.set_trace_callback(texts.append)
        list(pages(connection, "p", "s")) if query == "page" else Outbox(connection).projects()
        connection.set_trace_callback(None)
        return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {texts[-1]}")]

    steps = ask(paths_in(tmp_path / "mm"), plan)
    assert any("outbox_waiting" in step for step in steps)
    assert not any("TEMP B-TREE" in step for step in steps)
