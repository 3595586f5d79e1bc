from __future__ import annotations

import json
import os
import stat
import tempfile
from pathlib import Path

import pytest

from make_metrics.consent import consent, decision_file, notice
from make_metrics.consent.anonymous_id import ensure_id, id_file
from make_metrics.consent.mode import Decision, Mode
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, private_directory
from make_metrics.project.project import Project, project_of
from make_metrics.properties import registry
from make_metrics.properties.property import Property
from tests.support.opt_in import NOW_NS, opt_in
from tests.support.records import paths_in
from tests.support.settings_files import FULL_SETTINGS, write_settings


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_in(tmp_path / "mm")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_settings(tmp_path / "project")
    return project_of(tmp_path / "project")


def decide(paths: Paths, project: Project, *, yes: bool) -> None:
    with consent.lock(paths):
        consent.write_decision(paths, project, yes=yes, now_ns=NOW_NS)


def decision(paths: Paths, project: Project) -> tuple[Decision, Mode]:
    status = consent.status_of(paths, project, {})
    return status.decision, status.ruling.mode


def test_an_answer_is_kept_with_its_time_its_notice_and_its_receivers(paths: Paths, project: Project) -> None:
    assert decision(paths, project) == (Decision.NONE, Mode.LOCAL)
    decide(paths, project, yes=True)
    assert decision(paths, project) == (Decision.YES, Mode.ON)
    record = consent.status_of(paths, project, {}).record
    assert project.settings is not None
    assert record == decision_file.Record(
        project=str(project.directory),
        yes=True,
        decided_ns=NOW_NS,
        notice=notice.version(project.settings, ()),
        sinks=("segment https://events.example.org", "segment https://api.segment.io"),
    )
    decide(paths, project, yes=False)
    assert decision(paths, project) == (Decision.NO, Mode.LOCAL)


def test_an_answer_is_the_owners_alone_and_outside_the_repository(paths: Paths, project: Project) -> None:
    decide(paths, project, yes=True)
    with consent.lock(paths):
        ensure_id(paths, project)
    for path in (paths.config, *paths.config.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path
    assert [path.name for path in project.directory.iterdir()] == ["make-metrics.toml"]


@pytest.mark.parametrize(
    "old_new",
    [
        ("https://events.example.org/", "https://elsewhere.example.org"),
        ('"abc"', '"abd"'),
        ('[[sinks]]\ntype = "segment"\nwrite-key = "def"\n', ""),
        ('"The example team"', '"Somebody else"'),
        ("one year", "for ever"),
        ("to make builds faster", "to know more of you"),
        ("send-file-targets = true", "send-file-targets = false"),
        ("send-opt-out = true", ""),
    ],
    ids=lambda pair: pair[0][:20],
)
def test_a_yes_is_not_for_a_notice_with_another_text(paths: Paths, project: Project, old_new: tuple[str, str]) -> None:
    decide(paths, project, yes=True)
    write_settings(project.directory, FULL_SETTINGS.replace(*old_new))
    assert decision(paths, project_of(project.directory)) == (Decision.OLDER, Mode.LOCAL)
    write_settings(project.directory)
    assert decision(paths, project_of(project.directory)) == (Decision.YES, Mode.ON)


def test_a_yes_is_not_for_a_notice_with_a_new_property(
    paths: Paths, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(paths, project, yes=True)
    new = Property(
        name="new", kind="string", values="v", purpose="p", example="e", sources=("make_metrics/combine/event.py",)
    )
    monkeypatch.setattr(notice, "PROPERTIES", (*registry.PROPERTIES, new))
    assert decision(paths, project) == (Decision.OLDER, Mode.LOCAL)


def test_without_a_sink_a_yes_does_not_count(paths: Paths, project: Project) -> None:
    decide(paths, project, yes=True)
    (project.directory / "make-metrics.toml").unlink()
    assert decision(paths, project_of(project.directory)) == (Decision.OLDER, Mode.LOCAL)
    decide(paths, project_of(project.directory), yes=True)
    assert decision(paths, project_of(project.directory)) == (Decision.OLDER, Mode.LOCAL)


GOOD = {"format": 1, "decision": "yes", "project": "P", "decided_ns": 1, "notice": "n", "sinks": []}


@pytest.mark.parametrize(
    "content",
    [b"", b"yes", b"{}", b"[]", b"null", b"\xff", b"[" * 60_000, json.dumps(GOOD).encode(), b" " * 70_000]
    + [
        json.dumps({**GOOD, **wrong}).encode()
        for wrong in (
            {"format": 2}, {"decision": "on"}, {"decision": True}, {"decided_ns": "1"}, {"decided_ns": -1},
            {"decided_ns": True}, {"notice": None}, {"sinks": "x"}, {"sinks": [1]}, {"project": 3},
        )
    ],
)  # fmt: skip
def test_a_damaged_decision_turns_recording_off(paths: Paths, project: Project, content: bytes) -> None:
    decide(paths, project, yes=True)
    consent.decision_path(paths, project).write_bytes(content)
    assert decision(paths, project) == (Decision.CORRUPT, Mode.OFF)


def test_half_a_decision_turns_recording_off(paths: Paths, project: Project) -> None:
    decide(paths, project, yes=True)
    whole = consent.decision_path(paths, project).read_bytes()
    for size in range(len(whole) - 2):
        consent.decision_path(paths, project).write_bytes(whole[:size])
        assert decision(paths, project) == (Decision.CORRUPT, Mode.OFF)


@pytest.mark.parametrize("kind", ["link", "directory", "fifo"])
def test_a_path_that_is_no_regular_file_turns_recording_off_and_is_not_written_through(
    paths: Paths, project: Project, tmp_path: Path, kind: str
) -> None:
    decide(paths, project, yes=True)
    path = consent.decision_path(paths, project)
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    before = elsewhere.read_bytes()
    if kind == "link":
        path.symlink_to(elsewhere)
    elif kind == "directory":
        path.mkdir()
    else:
        os.mkfifo(path)
    assert decision(paths, project) == (Decision.UNREADABLE, Mode.OFF)
    with pytest.raises(UserError, match="move it away"):
        decide(paths, project, yes=True)
    decide(paths, project, yes=False)
    assert decision(paths, project) == (Decision.NO, Mode.LOCAL)
    assert elsewhere.read_bytes() == before


@pytest.mark.parametrize("name", ["config", "consent", "ids", "id"])
def test_a_symbolic_link_at_any_of_our_paths_is_refused(
    paths: Paths, project: Project, tmp_path: Path, name: str
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    path = {
        "config": paths.config,
        "consent": paths.decisions,
        "ids": paths.identities,
        "id": id_file(paths, project),
    }[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(elsewhere)
    with pytest.raises(UserError):
        opt_in((paths, project.directory))
    assert list(elsewhere.iterdir()) == []
    assert decision(paths, project)[1] is not Mode.ON


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's files")
def test_a_directory_that_another_user_could_exchange_is_refused() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        shared = Path(folder)
        shared.chmod(0o1777)
        (shared / "target").mkdir()
        (shared / "home").symlink_to(shared / "target")
        os.lchown(shared / "home", 1, 1)
        with pytest.raises(UserError, match=r"belongs to another user|root writes nothing there"):
            private_directory(shared / "home" / "config")


def test_another_projects_answer_does_not_count(paths: Paths, project: Project, tmp_path: Path) -> None:
    decide(paths, project, yes=True)
    write_settings(tmp_path / "other")
    other = project_of(tmp_path / "other")
    assert decision(paths, other) == (Decision.NONE, Mode.LOCAL)
    consent.decision_path(paths, other).write_bytes(consent.decision_path(paths, project).read_bytes())
    assert decision(paths, other) == (Decision.CORRUPT, Mode.OFF)


def test_root_through_sudo_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(UserError, match="without sudo"):
        consent.refuse_sudo({"SUDO_UID": "1000"})
    consent.refuse_sudo({"SUDO_UID": "0"})
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    consent.refuse_sudo({"SUDO_UID": "1000"})
