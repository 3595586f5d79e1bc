"""`make-metrics opt-out`: afterwards nothing is sent, not even events from before."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from make_metrics.consent.anonymous_id import id_file
from make_metrics.consent.consent import decision_path
from make_metrics.crashes.question import CRASHES
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project, project_of
from make_metrics.project.settings import NAME
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing


def test_after_an_opt_out_neither_new_nor_waiting_events_are_sent(sharing: Sharing, receiver: Receiver) -> None:
    sharing.cli("opt-in", "--yes")
    first = sharing.status()["id"]
    sharing.make("a")
    sharing.cli("report")
    assert sharing.status()["waiting"]["events"] == 2
    sharing.make("b")
    said = sharing.cli("opt-out")
    assert "2 events that were waiting are deleted, and your id is deleted" in said
    assert sharing.mode() == ("local", "decision")
    assert sharing.status()["id"] is None
    sharing.make("c")
    assert sharing.cli("flush") == "nothing sent\n"
    sharing.cli("opt-in", "--yes")
    assert sharing.status()["id"] not in (None, first)
    sharing.cli("flush")
    assert receiver.commands == []
    assert set(sharing.project.events()) == {"a", "b", "c"}


def test_a_run_during_which_the_developer_opts_out_is_not_sent(sharing: Sharing, receiver: Receiver) -> None:
    sharing.project.write("slow:\n\t@echo begun; cat\n")
    sharing.cli("opt-in", "--yes")
    with sharing.project.start("slow", stdin=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "begun\n"
        sharing.cli("opt-out")
        sharing.cli("opt-in", "--yes")  # after the run began
        running.communicate("")
    sharing.cli("flush")
    assert receiver.commands == []
    assert "slow" in sharing.project.events()


def test_an_opt_out_is_reported_only_if_the_notice_says_so(sharing: Sharing, receiver: Receiver) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.cli("opt-out")
    assert receiver.requests == []
    sharing.settings("send-opt-out = true")
    assert "one last event with your id" in sharing.cli("opt-in", "--yes")
    identity = sharing.status()["id"]
    sharing.cli("opt-out")
    (message,) = receiver.accepted
    assert (message["properties"]["choice"], message["anonymousId"]) == ("out", identity)
    sharing.cli("opt-out")
    assert len(receiver.requests) == 1


def test_an_opt_out_holds_although_the_settings_file_is_away(sharing: Sharing, receiver: Receiver) -> None:
    """As on a branch without the file: the project is then the root of the repository."""
    inner = sharing.project.folder
    (inner.parent / ".git").mkdir()
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    away = (inner / NAME).rename(inner / "away")
    deeper = inner / "deeper"
    deeper.mkdir()
    said = sharing.cli("opt-out", "-C", str(deeper))
    assert "your id is deleted" in said
    away.rename(inner / NAME)
    assert sharing.mode() == ("local", "decision")
    assert sharing.status()["id"] is None
    sharing.make("b")
    sharing.cli("flush")
    assert receiver.commands == []


PLACES: dict[str, Callable[[Paths, Project], Path]] = {
    "the decision": lambda paths, project: decision_path(paths, project),
    "the decision about crash reports": lambda paths, project: decision_path(paths, project, CRASHES),
    "the id": id_file,
    "the lock of decisions": lambda paths, _: paths.consent_lock,
    "the sender's lock": lambda paths, _: paths.send_lock,
    "the lock of crash reports": lambda paths, _: paths.crash_lock,
    "the file of off": lambda paths, _: paths.off_file,
}
KINDS: dict[str, Callable[[Path], object]] = {
    "directory": lambda path: (path / "full").mkdir(parents=True),
    "link to itself": lambda path: path.symlink_to(path),
    "link away": lambda path: path.symlink_to("/nowhere/at/all"),
    "link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "fifo": os.mkfifo,
}


@pytest.mark.one_in(2)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", PLACES)
def test_a_no_works_whatever_stands_in_the_way(sharing: Sharing, place: str, kind: str) -> None:
    sharing.cli("opt-in", "--yes")
    path = PLACES[place](sharing.paths, project_of(sharing.project.folder))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    KINDS[kind](path)
    assert "Nothing is sent any more" in sharing.cli("opt-out")
    assert sharing.status()["id"] is None
    assert sharing.status()["decision"] == "no" or place == "the file of off"
    assert "recording is off" in sharing.cli("off")
    assert sharing.mode()[0] == "off"


FOLDERS = ("config", "decisions", "identities", "data", "files", "state", "crashes", "set_aside")


@pytest.mark.parametrize("name", FOLDERS)
def test_a_no_works_whatever_stands_where_a_folder_belongs(sharing: Sharing, name: str) -> None:
    sharing.cli("opt-in", "--yes")
    folder: Path = getattr(sharing.paths, name)
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(folder)
    in_state = name == "state"  # what waits is behind it, or gone: nobody can say
    sharing.cli("opt-out", status=int(in_state))
    assert sharing.mode()[0] != "on"
    assert "recording is off" in sharing.cli("off")
    assert sharing.mode()[0] == "off"
    sharing.cli("forget", "--yes", status=int(in_state))
    assert not in_state or f"{folder} is not a directory (or is a symbolic link): move it away" in sharing.errors
