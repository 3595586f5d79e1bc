"""`make-metrics doctor` says what is in use and what is wrong."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest

from make_metrics.commands import doctor
from make_metrics.files.paths import Paths
from make_metrics.setup import fragment
from make_metrics.setup.renewal import set_up
from tests.support.project import Project

# Runs doctor: its exit status, and the result and the text of each subject.
Doctor = Callable[[], tuple[int, dict[str, tuple[str, str]]]]


@pytest.fixture
def paths() -> Paths:
    return Paths.from_environment()


@pytest.fixture
def examine(capsys: pytest.CaptureFixture[str]) -> Doctor:
    def examine() -> tuple[int, dict[str, tuple[str, str]]]:
        capsys.readouterr()
        status = doctor.run(Namespace(directory=None, target=None, json=False))
        lines = capsys.readouterr().out.splitlines()
        return status, {line[6:17].strip(): (line[:4].strip(), line[19:]) for line in lines}

    return examine


def test_a_working_installation_is_ok(paths: Paths, examine: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("MAKE_METRICS_SENDER", "detached")
    set_up(paths)
    status, findings = examine()
    assert status == 0
    assert [subject for subject, (result, _) in findings.items() if result == "ok" and subject != "fast path"] == [
        "fragment", "recording", "interpreter", "modules", "psutil", "processes", "state", "sender",
    ]  # fmt: skip
    assert findings["fast path"][0] == ("ok" if fragment.launcher() else "note")


def test_a_fragment_that_is_missing_or_old_is_bad(paths: Paths, examine: Doctor) -> None:
    status, findings = examine()
    assert (status, findings["fragment"][0]) == (1, "BAD")
    assert "make-metrics setup" in findings["fragment"][1]
    set_up(paths)
    paths.fragment.write_text(paths.fragment.read_text() + "# older\n")
    assert examine()[1]["fragment"][0] == "BAD"


def test_a_pipe_in_place_of_the_fragment_is_bad_and_holds_nobody(paths: Paths, examine: Doctor) -> None:
    set_up(paths)
    paths.fragment.unlink()
    os.mkfifo(paths.fragment)
    status, findings = examine()
    assert (status, findings["fragment"][0]) == (1, "BAD")
    assert "is not a file" in findings["fragment"][1]


def test_the_reason_for_no_sender_is_said(paths: Paths, examine: Doctor, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(paths)
    monkeypatch.setenv("CI", "true")
    assert examine()[1]["sender"] == ("note", "none: this is CI; after a yes, make-metrics flush sends what waits")


def test_recording_that_is_off_is_a_note(paths: Paths, examine: Doctor) -> None:
    set_up(paths)
    paths.off_file.touch()
    status, findings = examine()
    assert (status, findings["recording"][0]) == (0, "note")


def test_a_state_directory_that_cannot_be_used_is_bad(paths: Paths, examine: Doctor) -> None:
    set_up(paths)
    paths.state.rmdir()
    paths.state.write_text("")
    status, findings = examine()
    assert (status, findings["state"][0]) == (1, "BAD")


@pytest.mark.parametrize("how", ["missing", "not executable", "for another machine", "of another protocol"])
def test_the_reason_for_no_fast_path_is_said(
    how: str, paths: Paths, examine: Doctor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(paths)
    path = tmp_path / "hot/launcher"
    path.parent.mkdir()
    if how != "missing":
        path.write_bytes(b"\x7fELF" if how == "for another machine" else b"#!/bin/sh\nexit 5\n")
        path.chmod(0o644 if how == "not executable" else 0o755)
    monkeypatch.setattr(fragment, "entry", lambda: tmp_path / "entry.py")
    result, text = examine()[1]["fast path"]
    assert result == "note"
    assert {"missing": "not built", "of another protocol": "ended with 5"}.get(how, "cannot be run") in text


def test_damaged_files_are_named(paths: Paths, examine: Doctor) -> None:
    set_up(paths)
    paths.set_aside.mkdir(parents=True)
    (paths.set_aside / "store.sqlite3.1").touch()
    assert "store.sqlite3.1" in examine()[1]["set aside"][1]


def test_a_damaged_store_is_bad_once(paths: Paths, examine: Doctor) -> None:
    set_up(paths)
    paths.store.write_bytes(b"no store " * 100)
    status, findings = examine()
    assert (status, findings["store"][0]) == (1, "BAD")
    assert "the store was damaged: it is kept as" in findings["store"][1]
    assert examine()[0] == 0


@pytest.mark.parametrize(
    ("text", "word", "lines"),
    [
        ("name = 5\n", "name", 1),
        ("nonsense = true\n", "nonsense", 1),
        ("= broken", "make-metrics.toml", 3),  # with the line and a caret
    ],
)
def test_bad_settings_are_reported_and_cost_nothing(project: Project, text: str, word: str, lines: int) -> None:
    project.write("all:\n\t@echo all\n")
    (project.folder / "make-metrics.toml").write_text(text)
    done = project.make()
    assert (done.returncode, done.stdout, done.stderr) == (0, "all\n", "")
    report = project.cli("report")
    assert report.returncode == 0
    assert "all " in report.stdout
    assert report.stderr.startswith("make-metrics: ")
    assert report.stderr.count("\n") == lines
    assert word in report.stderr
    assert word in project.cli("doctor").stdout
    assert (project.folder / "make-metrics.toml").read_text() == text
