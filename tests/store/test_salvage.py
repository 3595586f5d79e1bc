from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from make_metrics.files.paths import Paths
from make_metrics.store import database
from make_metrics.store.store import Store
from tests.support.full_store import ALL, EVENTS, PAGE, RUNS, counts, fill
from tests.support.records import paths_in
from tests.support.store import ask


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_in(tmp_path)


def schema_pages(content: bytes) -> list[int]:
    """Where the pages of the schema begin: the first page, and others that hold an SQL text."""
    starts = range(0, len(content), PAGE)
    return [start for start in starts if not start or b"CREATE TABLE" in content[start : start + PAGE]]


def test_no_damaged_byte_of_the_schema_costs_a_row(paths: Paths) -> None:
    ask(paths, fill)
    whole = paths.store.read_bytes()
    chance = random.Random(1)  # noqa: S311
    noticed = 0
    for page in schema_pages(whole):
        for _ in range(25):
            damaged = bytearray(whole)
            damaged[page + chance.randrange(PAGE)] ^= 1 << chance.randrange(8)
            paths.store.write_bytes(damaged)
            problems: list[str] = []
            try:
                found = ask(paths, counts, problems)
            except database.ReplacedError as error:
                problems.append(error.line)
                found = ask(paths, counts)
            assert found == ALL, problems
            noticed += len(problems)
            for path in paths.state.glob("store*"):
                path.unlink()
    assert noticed > 10


@pytest.mark.parametrize("text", [b"CREATE TABLE builds", b"idle_us INTEGER", b"CREATE TABLE outbox"])
def test_a_schema_that_is_no_utf8_is_replaced(paths: Paths, text: bytes) -> None:
    ask(paths, fill)
    content = paths.store.read_bytes()
    assert content.count(text)
    paths.store.write_bytes(content.replace(text, b"\xff" + text[1:]))
    problems: list[str] = []
    assert ask(paths, counts, problems) == ALL
    assert len(problems) == 1
    assert f"all that it held could be read, {RUNS} runs" in problems[0]
    assert ask(paths, counts, problems) == ALL
    assert len(problems) == 1


def test_a_damaged_page_costs_the_rows_on_it_and_no_others(paths: Paths) -> None:
    ask(paths, fill)
    whole = paths.store.read_bytes()
    lost = []
    for start in range(PAGE, len(whole), 3 * PAGE):
        paths.store.write_bytes(whole[:start] + b"\xee" * PAGE + whole[start + PAGE :])
        problems: list[str] = []
        new_path, saved = database._salvage(paths)
        assert new_path is not None, saved
        with closing(database.connect(new_path)) as connection:
            found = counts(connection)
        lost.append(sum(ALL.values()) - sum(found.values()))
        assert all(found[name] <= ALL[name] for name in ALL)
        assert problems == []
    # But for the first pages of tables: these lead to all others.
    assert sorted(lost)[len(lost) * 3 // 4] <= 110


def test_what_was_lost_is_said(paths: Paths) -> None:
    ask(paths, fill)
    with closing(sqlite3.connect(paths.store)) as connection:
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'builds'").fetchone()[0]
    content = bytearray(paths.store.read_bytes())
    content[(root - 1) * PAGE : root * PAGE] = bytes(PAGE)
    paths.store.write_bytes(content)
    problems: list[str] = []
    try:
        found = ask(paths, lambda connection: Store(connection).runs(), problems)
    except database.ReplacedError as error:
        problems.append(error.line)
        found = ask(paths, lambda connection: Store(connection).runs(), problems)
    assert len(found) < RUNS
    assert f"{len(found)} of {RUNS} runs and {EVENTS} of {EVENTS} events could be read" in problems[0]
