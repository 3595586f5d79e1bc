"""The views that other programs rely on, read by SQLite's and by DuckDB's own means."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from make_metrics.store.compact import views
from tests.support.project import ROOT, Project

PAGE = ROOT / "docs/reference/store.md"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The store of a project with a nested make and a failure, at the path that `make-metrics store` prints."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("views")
        patch.setenv("MAKE_METRICS_HOME", str(folder / "home"))
        project = Project(folder / "project", folder / "home")
        project.write("all: a b\n\t@true\n\t-@exit 3\na:\n\t@$(MAKE) -f inner.mk inner\nb:\n\t@exit 4\n")
        project.write("inner:\n\t@true\n", "inner.mk")
        project.make("-k")
        project.make("a")
        yield Path(project.cli("store").stdout.strip())


def columns(name: str) -> list[str]:
    """The columns of a view as its page lists them."""
    section = PAGE.read_text().partition(f"## `{name}`")[2].partition("\n## ")[0]
    return re.findall(r"^\| `(\w+)`", section, re.MULTILINE)


def test_each_view_has_the_columns_of_its_page(store: Path) -> None:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        for name in views.NAMES:
            described = [row[0] for row in connection.execute(f"SELECT * FROM {name}").description]  # noqa: S608
            assert described == columns(name), name


def rows_of(read: Any) -> dict[str, list[tuple[Any, ...]]]:
    """What both programs must find, by a function that runs a query."""
    return {
        "runs": read("SELECT goals, exit_status, targets FROM runs_v1 ORDER BY started_ns"),
        "targets": read(
            "SELECT target, level, parent_target, goal, exit_status, lines FROM targets_v1 "
            "JOIN (SELECT run, started_ns FROM runs_v1) AS r USING (run) ORDER BY started_ns, level, target"
        ),
        "own": read("SELECT count(*) FROM targets_v1 WHERE own_us BETWEEN 1 AND span_us AND span_us <= whole_us + 500"),
        "lines": read("SELECT target, line, exit_status FROM lines_v1 WHERE target IN ('b', 'inner') ORDER BY 1, 2"),
    }


EXPECTED = {
    "runs": [('["all"]', 2, 4), ('["a"]', 0, 2)],
    "targets": [
        ("a", 0, "", 0, 0, 1),
        ("all", 0, "", 1, 2, 0),
        ("b", 0, "", 0, 4, 1),
        ("inner", 1, "a", 0, 0, 1),
        ("a", 0, "", 1, 0, 1),
        ("inner", 1, "a", 0, 0, 1),
    ],
    "own": [(5,)],
    "lines": [("b", 1, 4), ("inner", 1, 0), ("inner", 1, 0)],
}


def test_sqlite_reads_the_views(store: Path) -> None:
    with closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
        assert rows_of(lambda query: connection.execute(query).fetchall()) == EXPECTED


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="the program sqlite3 is missing")
def test_the_program_sqlite3_reads_the_views(store: Path) -> None:
    done = subprocess.run(
        ["sqlite3", "-readonly", store, "SELECT target, exit_status FROM targets_v1 WHERE exit_status = 4"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "b|4\n"


def sqlite_extension(version: str) -> Path:
    """DuckDB's extension that reads SQLite files, as the package duckdb-ext-sqlite holds it."""
    spec = importlib.util.find_spec("duckdb_ext")
    for folder in (spec and spec.submodule_search_locations) or ():
        for path in Path(folder).glob(f"extensions/v{version}/*/sqlite_scanner.duckdb_extension"):
            return path
    pytest.skip("DuckDB's extension for SQLite is not installed (duckdb-ext-sqlite)")


def test_duckdb_reads_the_views(store: Path, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is not installed")
    connection = duckdb.connect()
    connection.execute(f"LOAD '{sqlite_extension(duckdb.__version__)}'")
    connection.execute(f"ATTACH '{store}' AS store (TYPE sqlite, READ_ONLY)")
    connection.execute("USE store")
    assert rows_of(lambda query: connection.execute(query).fetchall()) == EXPECTED
    # As in the how-to about Parquet.
    connection.execute(f"COPY (SELECT * FROM store.targets_v1) TO '{tmp_path}/targets.parquet' (FORMAT parquet)")  # noqa: S608
    assert connection.execute(f"SELECT count(*) FROM '{tmp_path}/targets.parquet'").fetchall() == [(6,)]  # noqa: S608


def test_the_command_names_store_and_views(project: Project) -> None:
    path = project.cli("store").stdout
    assert path == f"{project.paths.store}\n"
    document = json.loads(project.cli("store", "--json").stdout)
    assert document["path"] == path.strip()
    assert document["views"] == ["runs_v1", "targets_v1", "lines_v1"]
