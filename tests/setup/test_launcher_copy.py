"""The copy of the launcher that set-up keeps beside the fragment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from make_metrics.files.paths import Paths
from make_metrics.setup import fragment, launcher_copy, removal
from tests.support.broken_copy import copy_package, run_command
from tests.support.project import SOURCE, Project

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells where a copy runs")


@pytest.fixture
def launcher(tmp_path: Path) -> Path:
    path = tmp_path / "package" / "launcher"
    path.parent.mkdir()
    path.write_bytes(b"#!/bin/sh\necho mm1 runs\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    data = tmp_path / "data"
    data.mkdir()
    return Paths(data=data, config=tmp_path / "config", state=tmp_path / "state")


def test_a_copy_is_named_by_its_content(paths: Paths, launcher: Path) -> None:
    assert launcher_copy.of(paths, launcher) is None
    launcher_copy.write(paths, launcher)
    first = launcher_copy.of(paths, launcher)
    assert first is not None
    assert first.read_bytes() == launcher.read_bytes()
    assert os.access(first, os.X_OK)
    assert not launcher_copy.is_outdated(first, launcher)
    launcher.write_bytes(b"#!/bin/sh\necho mm1\n")
    assert launcher_copy.is_outdated(first, launcher)
    launcher_copy.write(paths, launcher)
    assert {first, launcher_copy.of(paths, launcher)} == set(paths.data.iterdir())


@pytest.mark.parametrize("kind", ["pipe", "device"])
def test_no_command_waits_for_what_stands_in_a_copys_place(tmp_path: Path, kind: str) -> None:
    project = Project(tmp_path / "project", tmp_path / "home")
    if not fragment.launcher():
        pytest.skip("no compiled fast path here")
    assert project.cli("setup").returncode == 0
    (copy,) = project.paths.data.glob("launcher.*[0-9a-f]")
    copy.unlink()
    os.mkfifo(copy) if kind == "pipe" else copy.symlink_to("/dev/zero")
    for command in ("status", "doctor", "setup", "uninstall"):
        env = {**project.environment(), "PYTHONPATH": str(SOURCE)}
        done = project.run([sys.executable, "-m", "make_metrics", command], env=env, stdin=subprocess.DEVNULL)
        assert done.returncode in (0, 1), done.stderr
        assert "Traceback" not in done.stderr


DAMAGES: dict[str, Callable[[Path], object]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:5]),
    "not executable": lambda path: path.chmod(0o644),
    "gone": lambda path: path.unlink(),
    "a link": lambda path: path.rename(path.with_name("real")).with_name(path.name).symlink_to("real"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_copy_is_no_copy_and_is_made_anew(paths: Paths, launcher: Path, damage: str) -> None:
    launcher_copy.write(paths, launcher)
    path = launcher_copy.of(paths, launcher)
    assert path is not None
    DAMAGES[damage](path)
    if damage == "not executable" and os.geteuid() == 0:
        assert not os.access(path, os.X_OK)
    assert launcher_copy.of(paths, launcher) is None
    launcher_copy.write(paths, launcher)
    assert launcher_copy.of(paths, launcher) == path


def test_old_copies_go_unless_a_fragment_names_them(paths: Paths, launcher: Path) -> None:
    launcher_copy.write(paths, launcher)
    names = [f"launcher.{digit * 16}" for digit in "abc"]
    for name in names:
        for suffix in ("", launcher_copy.PROOF):
            (paths.data / f"{name}{suffix}").touch()
    for name in names[:2]:
        os.utime(paths.data / name, (1, 1))
    (paths.data / "launcher.txt").touch()
    paths.fragment.write_text(f".metrics.for.arm.copy := {paths.data}/{names[0]}\n")
    launcher_copy.write(paths, launcher)
    left = {path.name for path in paths.data.iterdir()}
    assert left >= {names[0], names[2], "launcher.txt", "metrics.mk"}
    assert names[1] not in left


def test_where_nothing_can_be_written_there_is_no_copy(paths: Paths, launcher: Path) -> None:
    paths.data.rmdir()
    paths.data.write_text("a file in the folder's place")
    launcher_copy.write(paths, launcher)
    assert launcher_copy.of(paths, launcher) is None
    launcher_copy.write(paths, None)
    assert launcher_copy.of(paths, None) is None


def test_a_path_that_make_would_read_otherwise_is_not_named(tmp_path: Path) -> None:
    data = tmp_path / "a b"
    data.mkdir()
    paths = Paths(data=data, config=tmp_path / "config", state=tmp_path / "state")
    launcher_copy.write(paths, fragment.launcher())
    assert "\n.metrics.baked.copy :=\n" in fragment.render(paths)


def test_the_next_command_copies_a_launcher_that_was_replaced(project: Project, tmp_path: Path, compiled: bool) -> None:
    """As pip does in an upgrade in which nothing of the fragment has changed."""
    if not compiled:
        pytest.skip("there is no launcher")
    copy = copy_package(tmp_path)
    launcher = copy / "shim/make_metrics/hot/launcher"
    shutil.copy2(str(fragment.launcher()), launcher)
    shutil.copy(fragment.source(), copy / "shim/make_metrics")
    run_command(project, copy, "setup")
    before = project.paths.fragment.read_text()
    launcher.write_bytes(launcher.read_bytes() + b"\0")  # what follows a program's end is not read
    run_command(project, copy, "runs")
    after = project.paths.fragment.read_text()
    assert after != before
    (named,) = [line.rpartition(" ")[2] for line in after.splitlines() if line.startswith(".metrics.baked.copy :=")]
    assert Path(named).read_bytes() == launcher.read_bytes()
    project.write("all:\n\t@echo all\n")
    assert project.make().stdout == "all\n"
    assert list(project.events()) == ["all"]


def test_uninstall_removes_copies_and_proofs(paths: Paths, launcher: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("make_metrics.setup.bundle.PARTS", {})
    launcher_copy.write(paths, launcher)
    (paths.data / f"launcher.{'a' * 16}{launcher_copy.PROOF}").touch()
    assert len(removal.remove_set_up(paths)) == 2
    assert not list(paths.data.iterdir())
