"""`make-metrics forget`: the events go, the decisions stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.project import Project
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing


def test_forget_removes_events_and_keeps_decisions(sharing: Sharing, receiver: Receiver) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    sharing.cli("flush")
    sharing.make("b")
    sharing.cli("forget", "--yes")
    assert sharing.project.events() == {}
    assert sharing.cli("sent") == "Nothing was sent from this project in the last 90 days.\n"
    assert sharing.mode()[0] == "on"
    for path in sharing.paths.state.glob("store*"):
        assert b"metrics-opt-in" not in path.read_bytes()
    sharing.make("b")
    sharing.cli("flush")
    assert receiver.commands == ["a", "b"]


def test_forget_of_one_project_leaves_the_others(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "project-of-others"
    for folder in (project.folder, other, project.folder / "sub"):
        folder.mkdir(exist_ok=True)
        (folder / "Makefile").write_text(f"{folder.name}:\n\t@:\n{project.line}\n")
        (folder / "make-metrics.toml").touch() if folder.name != "sub" else None
        project.make("-C", str(folder))
    assert set(project.events()) == {"project", "project-of-others", "sub"}
    done = project.cli("forget", "-C", ".", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert str(project.folder) in done.stdout
    assert set(project.events()) == {"project-of-others"}


def test_forget_of_one_project_removes_its_part_of_other_runs(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "project-of-others"
    other.mkdir()
    (other / "Makefile").write_text(f"outer:\n\t@$(MAKE) -C {project.folder} secret-name\n{project.line}\n")
    project.write("secret-name:\n\t@:\n\t@:\n")
    (project.folder / "make-metrics.toml").touch()
    project.make("-C", str(other))
    assert set(project.events()) == {"outer", "secret-name"}
    assert any(b"secret-name" in path.read_bytes() for path in project.paths.state.glob("store*"))
    assert project.cli("forget", "-C", ".", "--yes").returncode == 0
    assert set(project.events()) == {"outer"}
    assert not any(b"secret-name" in path.read_bytes() for path in project.paths.state.glob("store*"))


@pytest.mark.parametrize("words", [("forget", "--yes"), ("opt-out",), ("status",), ("report",)])
def test_a_folder_in_the_place_of_the_store_and_of_a_record_stops_no_command(
    project: Project, words: tuple[str, ...]
) -> None:
    for path in (project.paths.store, project.paths.records / "h.1.2.rec", project.paths.crashes / "1.json"):
        (path / "something").mkdir(parents=True)
    done = project.cli(*words)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    if words[0] == "forget":
        assert list(project.paths.set_aside.iterdir()) == []


def test_what_is_behind_a_link_stays(project: Project, tmp_path: Path) -> None:
    """No file sink writes through one."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "file").touch()
    project.paths.files.symlink_to(mine)
    done = project.cli("forget", "--yes")
    assert (done.returncode, done.stderr, [*mine.iterdir()]) == (0, "", [mine / "file"])
