"""`trace`, to a file and to standard output."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from make_metrics.commands.output_file import write_output
from make_metrics.errors import UserError
from tests.support.project import Project


def test_a_nested_run_becomes_a_trace(project: Project) -> None:
    project.write("all:\n\t@$(MAKE) --no-print-directory -f inner.mk\n")
    project.write("inner:\n\t@true\n", "inner.mk")
    assert project.make("-j2").returncode == 0
    done = project.cli("trace", "-o", "trace.json")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("trace.json: run ")
    text = (project.folder / "trace.json").read_text()
    names = [
        event["name"] for event in json.loads(text)["traceEvents"] if event["ph"] == "X" and event["cat"] == "target"
    ]
    assert names == ["all", "inner"]
    assert json.loads(text)["otherData"]["version"] == 1
    assert project.cli("trace", "last", "-o", "-").stdout == text
    assert project.cli("trace").returncode == 2


@pytest.mark.parametrize(
    ("name", "says"), [("", "empty"), ("folder", "is a directory"), ("folder/no/x", "No such file"), ("a\0b", "null")]
)
def test_what_cannot_be_written_gets_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UserError, match=says):
        write_output(name, ["x"])


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "folder/trace.json"
    path.parent.mkdir()
    path.write_text("old")

    def pieces() -> list[str]:
        raise OSError(28, os.strerror(28))

    with pytest.raises(UserError, match="No space left"):
        write_output(str(path), (piece for piece in [1] for _ in pieces()))  # type: ignore[misc]
    assert path.read_text() == "old"
    assert os.listdir(path.parent) == ["trace.json"]  # noqa: PTH208


def test_a_links_target_is_replaced_and_modes_stay(tmp_path: Path) -> None:
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("old")
    path.chmod(0o640)
    link.symlink_to(path)
    write_output(str(link), ["new"])
    assert (path.read_text(), path.stat().st_mode & 0o777, link.is_symlink()) == ("new", 0o640, True)


def test_a_device_is_written_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    write_output("/dev/stdout", ["text"])
    write_output("/dev/null", ["text"])
    assert Path("/dev/null").is_char_device()
    assert capfd.readouterr().out == "text"
