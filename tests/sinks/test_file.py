"""The file sink: what it appends to, whatever else is there, and that nothing is torn, lost or double."""

from __future__ import annotations

import functools
import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from make_metrics.sinks import Outcome, Verdict, file
from make_metrics.sinks.file import FileSink
from tests.support.project import Project, until
from tests.support.segment_receiver import Receiver, receiving
from tests.support.sharing_project import TEXT, Sharing


def message(name: str, *, size: int = 0) -> dict[str, Any]:
    return {"type": "track", "messageId": name, "properties": {"command": "x" * size}}


def send(sink: FileSink, *names: str, size: int = 0) -> Verdict:
    return sink.send([message(name, size=size) for name in names], timeout_s=20)


def ids(path: Path) -> list[str]:
    """The ids of a file whose every line must be whole."""
    text = path.read_text()
    assert text == "" or text.endswith("\n")
    return [json.loads(line)["messageId"] for line in text.splitlines()]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "files"


def test_lines_are_appended_to_a_private_file(folder: Path) -> None:
    sink = FileSink("events.jsonl", folder)
    prepared = sink.prepare([message("a"), message("b")])
    assert not folder.exists()
    verdict = send(sink, "a", "b")
    path = folder / "events.jsonl"
    assert (verdict.outcome, verdict.url, verdict.body) == (Outcome.ACCEPTED, path.as_uri(), prepared.body)
    assert path.read_bytes() == prepared.body
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    send(sink, "c")
    assert ids(path) == ["a", "b", "c"]


def test_a_message_that_the_file_has_is_not_written_again(folder: Path) -> None:
    sink = FileSink("events.jsonl", folder)
    send(sink, "a", "b")
    assert send(sink, "b", "c").outcome is Outcome.ACCEPTED
    assert ids(folder / "events.jsonl") == ["a", "b", "c"]


@pytest.mark.parametrize("torn", [b'{"type": "track", "mess', b"x" * 200_000, b"\0\0\0"])
def test_a_torn_last_line_is_cut_off(folder: Path, torn: bytes) -> None:
    sink = FileSink("events.jsonl", folder)
    send(sink, "a")
    path = folder / "events.jsonl"
    path.write_bytes(path.read_bytes() + torn)
    send(sink, "b")
    assert ids(path) == ["a", "b"]
    path.write_bytes(torn)
    send(sink, "c")
    assert ids(path) == ["c"]


def test_full_files_are_kept_beside_it_and_the_oldest_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "KEEP", 2)
    sink = FileSink("events.jsonl", folder, limit_bytes=1_000)
    for name in "abcdefgh":
        send(sink, name, size=400)
    found = {path.name: ids(path) for path in folder.glob("*.jsonl")}
    assert found == {"events.jsonl": ["g", "h"], "events.1.jsonl": ["e", "f"], "events.2.jsonl": ["c", "d"]}
    # Also what the file before this one has is not written again: its writer may have died before it said so.
    send(sink, "f", "i", size=400)
    assert ids(folder / "events.jsonl") == ["i"]
    assert ids(folder / "events.1.jsonl") == ["g", "h"]


@pytest.mark.parametrize("kind", ["link", "hard link", "fifo", "directory"])
@pytest.mark.parametrize("name", ["events.jsonl", ".events.jsonl.lock"])
def test_only_a_regular_file_of_ones_own_is_written(folder: Path, tmp_path: Path, kind: str, name: str) -> None:
    precious = tmp_path / "bashrc"
    precious.write_text("precious")
    folder.mkdir(parents=True)
    path = folder / name
    if kind == "link":
        path.symlink_to(precious)
    elif kind == "hard link":
        path.hardlink_to(precious)
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    verdict = send(FileSink("events.jsonl", folder), "a")
    assert verdict.outcome in (Outcome.HELD, Outcome.LATER)
    assert "cannot be written" in verdict.said
    assert precious.read_text() == "precious"


def test_the_users_own_directory_must_exist(tmp_path: Path) -> None:
    own = tmp_path / "own"
    sink = FileSink("events.jsonl", own, must_exist=True)
    assert send(sink, "a").outcome is Outcome.LATER
    own.mkdir()
    own.chmod(0o777)
    verdict = send(sink, "a")
    assert (verdict.outcome, "anybody may write there" in verdict.said) == (Outcome.HELD, True)
    own.chmod(0o755)
    assert send(sink, "a").outcome is Outcome.ACCEPTED
    assert stat.S_IMODE(own.stat().st_mode) == 0o755
    (tmp_path / "link").symlink_to(own)  # the user's own, so that they may
    assert send(FileSink("events.jsonl", tmp_path / "link", must_exist=True), "b").outcome is Outcome.ACCEPTED
    assert ids(own / "events.jsonl") == ["a", "b"]


def test_our_own_directory_must_be_no_link(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data" / "files").symlink_to(tmp_path / "elsewhere")
    assert send(FileSink("events.jsonl", tmp_path / "data" / "files"), "a").outcome is Outcome.HELD
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_leaves_no_part_of_a_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = FileSink("events.jsonl", folder)
    send(sink, "a")
    write, parts = os.write, iter([10])

    def full(descriptor: int, data: Any) -> int:
        for count in parts:
            return write(descriptor, data[:count])
        with open("/dev/full", "wb", buffering=0) as device:  # noqa: PTH123
            return device.write(data)

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        verdict = send(sink, "b")
    assert (verdict.outcome, "No space left" in verdict.said) == (Outcome.LATER, True)
    assert ids(folder / "events.jsonl") == ["a"]
    assert send(sink, "b").outcome is Outcome.ACCEPTED
    assert ids(folder / "events.jsonl") == ["a", "b"]


def test_many_writers_at_once_lose_and_double_nothing(folder: Path) -> None:
    children = []
    for number in range(8):
        child = os.fork()
        if not child:
            try:
                sink = FileSink("events.jsonl", folder, limit_bytes=4_000)
                for at in range(25):
                    send(sink, f"{number}-{at}", "everybody's")
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0
    found = [name for path in folder.glob("*.jsonl") for name in ids(path)]
    expected = {f"{number}-{at}" for number in range(8) for at in range(25)}
    assert sorted(name for name in found if "-" in name) == sorted(expected)


def grown(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size > size


def test_killed_at_any_point_every_line_is_whole_and_there_once(folder: Path) -> None:
    names, path = [f"{number:03}" for number in range(200)], folder / "events.jsonl"
    sink = FileSink("events.jsonl", folder)
    interrupted = 0
    for round_ in range(15):
        child = os.fork()
        if not child:
            try:
                for name in names:
                    send(sink, name, size=2_000)
            finally:
                os._exit(0)
        size = path.stat().st_size if path.exists() else 0
        until(functools.partial(grown, path, min(size, 380_000)))
        os.kill(child, signal.SIGKILL)
        interrupted += os.WIFSIGNALED(os.waitpid(child, 0)[1])
        if round_ % 4 == 0 and path.stat().st_size > 100:
            os.truncate(path, path.stat().st_size - 7)  # as a machine that lost its power may leave it
    for name in names:
        send(sink, name, size=2_000)
    assert interrupted > 3
    assert sorted(ids(path)) == names


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def test_events_go_from_make_to_the_file(tmp_path: Path, home: Path, receiver: Receiver) -> None:
    sharing = Sharing(Project(tmp_path / "project", home), receiver)
    (sharing.project.folder / "make-metrics.toml").write_text(
        f'{TEXT}send-opt-out = true\n[[sinks]]\ntype = "file"\nname = "builds"\n'
    )
    folder = sharing.paths.files
    notice = sharing.cli("opt-in", "--yes")
    assert "Sent to:      builds.jsonl (file)" in notice
    assert f"builds.jsonl is kept in {folder}." in notice
    sharing.make("all")
    assert f"append to {(folder / 'builds.jsonl').as_uri()}" in sharing.cli("preview")
    assert not folder.exists()
    assert sharing.cli("flush") == "3 events sent\n"
    lines = [json.loads(line) for line in (folder / "builds.jsonl").read_text().splitlines()]
    commands = [line["properties"]["command"] for line in lines]
    assert sorted(commands) == ["a", "all", "metrics-opt-in"]
    assert f"append to {(folder / 'builds.jsonl').as_uri()} 3 events" in sharing.cli("sent")
    assert sharing.status()["paths"]["files"] == str(folder)
    sharing.cli("forget", "--yes")
    assert list(folder.iterdir()) == []
    # The user, and nobody else, may want it elsewhere.
    own = tmp_path / "own"
    sharing.paths.user_settings.write_text(f'file-directory = "{own}"\n')
    sharing.make("b")
    assert sharing.cli("flush", status=1) == "nothing sent\n"
    assert "No such file or directory: 1 event waits" in sharing.errors
    own.mkdir()
    assert sharing.cli("flush") == "1 event sent\n"
    assert (own / "builds.jsonl").read_text().count("\n") == 1
    sharing.cli("opt-out")
    assert '"choice": "out"' in (own / "builds.jsonl").read_text().splitlines()[-1]
    sharing.cli("opt-in", "--yes")
    sharing.cli("forget", "--yes")
    assert f"files that were written to {own} are still there" in sharing.errors
    assert (own / "builds.jsonl").exists()
    sharing.paths.user_settings.write_text('file-directory = "relative"\nspeed = 3\n')
    sharing.make("c")
    sharing.cli("flush", status=1)
    said = [problem.split(": ", 1)[1] for problem in sharing.status()["problems"]]
    assert said == ["file-directory: must be an absolute path", "speed: unknown key"]
    assert "must be an absolute path" in sharing.cli("doctor", status=1)
