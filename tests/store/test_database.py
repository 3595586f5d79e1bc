"""The store's file: opening it, and what happens when it is damaged."""

from __future__ import annotations

import multiprocessing
import os
import random
import sqlite3
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from make_metrics.combine.summary import StoredEvent
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.store import database
from make_metrics.store.store import Store
from make_metrics.sweep.sweep import sweep
from tests.support.records import fill_store, paths_in
from tests.support.store import ask


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_in(tmp_path)


def everything(connection: sqlite3.Connection) -> list[StoredEvent]:
    store = Store(connection)
    store.runs()
    return store.events()


def test_the_store_keeps_what_is_written(paths: Paths) -> None:
    problems: list[str] = []
    ask(paths, fill_store, problems)
    assert len(ask(paths, everything, problems)) == 400
    assert problems == []


@pytest.mark.parametrize("content", [b"this is no database, though it is a file " * 50, b"\0" * 4096, b"x"])
def test_a_file_that_is_no_database_is_put_aside(paths: Paths, content: bytes) -> None:
    paths.state.mkdir(parents=True)
    paths.store.write_bytes(content)
    problems: list[str] = []
    ask(paths, fill_store, problems)
    assert len(ask(paths, everything, problems)) == 400
    assert len(problems) == 1
    kept = next(paths.set_aside.iterdir())
    assert kept.read_bytes() == content
    assert str(kept) in problems[0]
    assert "\n" not in problems[0]


@pytest.mark.parametrize("kind", ["directory", "pipe", "socket", "device"])
def test_what_is_no_file_is_put_aside(paths: Paths, kind: str) -> None:
    paths.state.mkdir(parents=True)
    if kind == "directory":
        (paths.store / "something").mkdir(parents=True)
    elif kind == "pipe":
        os.mkfifo(paths.store)
    elif kind == "socket":
        os.mknod(paths.store, stat.S_IFSOCK | 0o600)
    else:
        paths.store.symlink_to("/dev/zero")
    problems: list[str] = []
    ask(paths, fill_store, problems)
    assert len(ask(paths, everything, problems)) == 400
    assert len(problems) == 1
    assert "it was no file" in problems[0]
    assert len(list(paths.set_aside.iterdir())) == 1


def test_a_database_without_our_tables_is_put_aside(paths: Paths) -> None:
    problems: list[str] = []
    ask(paths, lambda connection: connection.execute("DROP TABLE events"), problems)
    assert ask(paths, everything, problems) == []
    assert len(problems) == 1


def test_damage_anywhere_never_ends_in_a_traceback(paths: Paths) -> None:
    ask(paths, fill_store)
    whole = paths.store.read_bytes()
    chance = random.Random(1)  # noqa: S311
    noticed = 0
    for _ in range(60):
        damaged = bytearray(whole)
        if chance.random() < 0.5:
            del damaged[chance.randrange(len(damaged)) :]
        else:
            offset = chance.randrange(0, len(damaged), 512)
            damaged[offset : offset + 2048] = chance.randbytes(2048)
        paths.store.write_bytes(damaged)
        for end in ("-wal", "-shm"):
            paths.store.with_name(paths.store.name + end).unlink(missing_ok=True)
        problems: list[str] = []
        for work in (everything, lambda connection: fill_store(connection, runs=2), everything):
            try:
                ask(paths, work, problems)
            except database.ReplacedError as error:
                problems.append(error.line)
        ask(paths, lambda connection: fill_store(connection, runs=2), problems)
        assert len(ask(paths, everything, problems)) >= 40
        assert len(problems) <= 1
        noticed += len(problems)
    assert noticed > 30
    assert len(list(paths.set_aside.glob("*.sqlite3"))) == noticed


def test_damage_found_in_the_middle_ends_the_block_and_the_next_one_has_a_new_store(paths: Paths) -> None:
    ask(paths, fill_store)
    damaged = paths.store.read_bytes()
    problems: list[str] = []

    def work(connection: sqlite3.Connection) -> None:
        os.truncate(paths.store, len(damaged) // 2)  # as a disk that fails while the store is in use
        everything(connection)

    with pytest.raises(database.ReplacedError) as raised:
        ask(paths, work, problems)
    assert str(raised.value) == f"{raised.value.line}: run this again"
    (kept,) = [path for path in paths.set_aside.iterdir() if path.name.endswith(paths.store.name)]
    assert str(kept) in raised.value.line
    assert problems == []
    assert len(ask(paths, everything, problems)) < 400
    assert problems == []


def test_a_store_that_another_process_has_replaced_stays(paths: Paths) -> None:
    ask(paths, fill_store)

    def work(connection: sqlite3.Connection) -> None:
        size = paths.store.stat().st_size
        os.truncate(paths.store, size // 2)
        paths.store.rename(paths.state / "elsewhere")  # as the other process does
        for end in ("-wal", "-shm"):
            paths.store.with_name(paths.store.name + end).unlink()
        ask(paths, lambda other: fill_store(other, runs=1))
        everything(connection)

    with pytest.raises(database.ReplacedError, match="is new now"):
        ask(paths, work)
    assert len(ask(paths, everything)) == 20


def test_a_wrong_query_is_not_taken_for_damage(paths: Paths) -> None:
    problems: list[str] = []
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        ask(paths, lambda connection: connection.execute("SELECT 1 FROM nowhere"), problems)
    assert problems == []
    assert not paths.set_aside.exists()


def test_a_store_in_use_is_reported_in_one_line(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_BUSY_S", 0.05)
    ask(paths, fill_store)
    other = sqlite3.connect(paths.store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UserError, match="in use"):
        ask(paths, fill_store)
    other.close()


def test_a_store_that_cannot_be_opened_is_reported_in_one_line(paths: Paths) -> None:
    paths.state.mkdir(parents=True)
    paths.store.symlink_to("/nowhere/at/all")  # perhaps to a disk that is not there now: it stays
    with pytest.raises(UserError, match="store") as raised:
        ask(paths, fill_store)
    assert "\n" not in str(raised.value)


def _open_and_write(paths: Paths) -> int:
    ask(paths, lambda connection: fill_store(connection, runs=1))
    return len(ask(paths, everything))


def test_many_processes_may_create_the_store_at_once(paths: Paths) -> None:
    with multiprocessing.get_context("spawn").Pool(6) as pool:
        assert pool.map(_open_and_write, [paths] * 12, chunksize=1) == [20] * 12


FULL = """
import resource, sys
from make_metrics.store import database
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from tests.support.records import fill_store
from tests.support.store import ask
paths = Paths.from_environment()
ask(paths, lambda connection: fill_store(connection, 1))
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    ask(paths, lambda connection: fill_store(connection, 200))
except UserError as error:
    print(error)
"""


def test_a_full_disk_is_reported_in_one_line(home: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL], capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 1
    assert "cannot write the store" in done.stdout
    assert done.stderr == ""
    assert len(ask(Paths.from_environment(), everything)) >= 20


def test_a_home_that_cannot_be_written_is_reported_in_one_line(tmp_path: Path) -> None:
    output = tmp_path / "said"
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # where another user can reach it
        Path(folder).chmod(0o555)
        with output.open("w") as out:
            child = os.fork()
            if not child:
                if os.geteuid() == 0:
                    os.setuid(65534)  # root may write anywhere
                try:
                    sweep(paths_in(Path(folder) / "home"))
                except UserError as error:
                    out.write(f"{error}\n")
                    out.flush()
                finally:
                    os._exit(0)
        os.waitpid(child, 0)
    assert output.read_text().count("\n") == 1
    assert "cannot make the directory" in output.read_text()
