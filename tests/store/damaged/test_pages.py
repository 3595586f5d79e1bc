"""A table's pages behind a damaged one: `head` is its first bytes, where SQLite finds what is in it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from make_metrics.files.paths import Paths
from make_metrics.store import database
from tests.support.full_store import ALL, PAGE, counts, fill
from tests.support.records import paths_in
from tests.support.store import ask

HEAD = 16


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, int]]:
    """The bytes of a store whose tables have several pages each, and the number of each table's first one."""
    paths = paths_in(tmp_path_factory.mktemp("whole"))
    ask(paths, fill)
    roots = ask(paths, lambda connection: dict(connection.execute("SELECT name, rootpage FROM sqlite_master")))
    return paths.store.read_bytes(), roots


@pytest.fixture(autouse=True)
def _time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy this machine is, what can be read is."""
    monkeypatch.setattr(database, "_SALVAGE_S", 600)


def left(paths: Paths, content: bytes) -> tuple[dict[str, int], str]:
    """What is left of a damaged store, by table, and what is said."""
    paths.state.mkdir(parents=True, exist_ok=True)
    paths.store.write_bytes(content)
    new_path, said = database._salvage(paths)
    assert new_path is not None, said
    with closing(database.connect(new_path)) as connection:
        return counts(connection), said


def damaged(content: bytes, page: int, size: int) -> bytes:
    start = (page - 1) * PAGE
    return content[:start] + b"\xff" * size + content[start + size :]


@pytest.mark.parametrize("table", ["builds", "targets", "delivered", "records"])
def test_the_damaged_head_of_a_tables_first_page_costs_no_row(
    tmp_path: Path, whole: tuple[bytes, dict[str, int]], table: str
) -> None:
    content, roots = whole
    found, said = left(paths_in(tmp_path), damaged(content, roots[table], HEAD))
    assert found == ALL, said


@pytest.mark.parametrize(("table", "most"), [("targets", 20), ("delivered", 20)])
def test_a_tables_lost_first_page_costs_the_rows_on_it(
    tmp_path: Path, whole: tuple[bytes, dict[str, int]], table: str, most: int
) -> None:
    content, roots = whole
    found, said = left(paths_in(tmp_path), damaged(content, roots[table], PAGE))
    assert 0 < ALL[table] - found.pop(table) <= most, said
    assert found == {name: count for name, count in ALL.items() if name != table}


def test_the_damaged_head_of_any_page_costs_at_most_a_few_rows(
    tmp_path: Path, whole: tuple[bytes, dict[str, int]]
) -> None:
    content, roots = whole
    paths = paths_in(tmp_path)
    for page in range(max(roots.values()) + 1, len(content) // PAGE + 1, 5):
        found, said = left(paths, damaged(content, page, HEAD))
        assert found == ALL, (page, said)


def test_a_deleted_message_does_not_come_back(tmp_path: Path, whole: tuple[bytes, dict[str, int]]) -> None:
    content, roots = whole
    paths = paths_in(tmp_path)
    paths.state.mkdir(parents=True)
    paths.store.write_bytes(content)
    ask(paths, lambda connection: connection.execute("DELETE FROM outbox"))
    found, said = left(paths, damaged(paths.store.read_bytes(), roots["outbox"], HEAD))
    assert found == {**ALL, "outbox": 0}, said
