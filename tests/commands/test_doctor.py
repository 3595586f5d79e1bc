"""`make-metrics doctor` says what is in use and what is wrong."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest

from make_metrics.commands import doctor
from make_metrics.files.paths import Paths
from make_metrics.setup import fragment
from make_metrics.setup.renewal import set_up
from tests.support.project import Project

Said = Callable[[], tuple[int, dict[str, tuple[str, str]]]]


@pytest.fixture
def paths() -> Paths:
    return Paths.from_environment()


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    def ask() -> tuple[int, dict[str, tuple[str, str]]]:
        capsys.readouterr()
        status = doctor.run(Namespace())
        lines = capsys.readouterr().out.splitlines()
        return status, {line[6:17].strip(): (line[:4].strip(), line[19:]) for line in lines}

    return ask


def test_all_is_well(paths: Paths, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("MAKE_METRICS_SENDER", "detached")
    set_up(paths)
    status, found = said()
    assert status == 0
    assert [about for about, (state, _) in found.items() if state == "ok" and about != "fast path"] == [
        "fragment", "recording", "interpreter", "modules", "psutil", "state", "sender",
    ]  # fmt: skip
    assert found["fast path"][0] == ("ok" if fragment.launcher() else "note")


def test_a_fragment_that_is_missing_or_old(paths: Paths, said: Said) -> None:
    status, found = said()
    assert (status, found["fragment"][0]) == (1, "BAD")
    assert "make-metrics setup" in found["fragment"][1]
    set_up(paths)
    paths.fragment.write_text(paths.fragment.read_text() + "# older\n")
    assert said()[1]["fragment"][0] == "BAD"


def test_what_keeps_a_sender_away_is_said(paths: Paths, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(paths)
    monkeypatch.setenv("CI", "true")
    assert said()[1]["sender"] == ("note", "none: this is CI; after a yes, make-metrics flush sends what waits")


def test_off_is_said(paths: Paths, said: Said) -> None:
    set_up(paths)
    paths.off_file.touch()
    status, found = said()
    assert (status, found["recording"][0]) == (0, "note")


def test_a_state_directory_that_cannot_be_used(paths: Paths, said: Said) -> None:
    set_up(paths)
    paths.state.rmdir()
    paths.state.write_text("")
    status, found = said()
    assert (status, found["state"][0]) == (1, "BAD")


@pytest.mark.parametrize("how", ["not there", "not executable", "for another machine", "of another protocol"])
def test_why_there_is_no_fast_path(
    how: str, paths: Paths, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(paths)
    place = tmp_path / "hot/launcher"
    place.parent.mkdir()
    if how != "not there":
        place.write_bytes(b"\x7fELF" if how == "for another machine" else b"#!/bin/sh\nexit 5\n")
        place.chmod(0o644 if how == "not executable" else 0o755)
    monkeypatch.setattr(fragment, "entry", lambda: tmp_path / "entry.py")
    state, text = said()[1]["fast path"]
    assert state == "note"
    assert {"not there": "not built", "of another protocol": "ended with 5"}.get(how, "cannot be run") in text


def test_damaged_files_are_named(paths: Paths, said: Said) -> None:
    set_up(paths)
    paths.set_aside.mkdir(parents=True)
    (paths.set_aside / "store.sqlite3.1").touch()
    assert "store.sqlite3.1" in said()[1]["set aside"][1]


def test_a_damaged_store_is_said(paths: Paths, said: Said) -> None:
    set_up(paths)

    paths.store.write_bytes(b"no store " * 100)
    status, found = said()
    assert (status, found["store"][0]) == (1, "BAD")
    assert "the store was damaged: it is kept as" in found["store"][1]
    assert said()[0] == 0


@pytest.mark.parametrize(
    ("text", "said"), [("name = 5\n", "name"), ("nonsense = true\n", "nonsense"), ("= broken", "make-metrics.toml")]
)
def test_bad_settings_are_one_line_each_and_cost_nothing(project: Project, text: str, said: str) -> None:
    project.write("all:\n\t@echo all\n")
    (project.folder / "make-metrics.toml").write_text(text)
    done = project.make()
    assert (done.returncode, done.stdout, done.stderr) == (0, "all\n", "")
    report = project.cli("report")
    assert report.returncode == 0
    assert "all " in report.stdout
    assert report.stderr.startswith("make-metrics: ")
    assert report.stderr.count("\n") == 1
    assert said in report.stderr
    assert said in project.cli("doctor").stdout
    assert (project.folder / "make-metrics.toml").read_text() == text
