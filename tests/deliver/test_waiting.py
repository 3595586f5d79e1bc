"""What waits is read in pages, each message once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from make_metrics.deliver.waiting import count_waiting, pages
from make_metrics.store.outbox import Entry, Outbox
from tests.support.records import paths_in
from tests.support.store import ask


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
