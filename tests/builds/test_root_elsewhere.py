"""Root with somebody else's home, as by `su -p`, `sudo -E` or `docker run -e HOME`: nothing is written there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from make_metrics.cli import COMMANDS
from make_metrics.files import owners
from tests.support.project import SOURCE, Project

OWNER = 12345
ARGUMENTS = {"crash-reports": ["off"], "completion": ["man"], "forget": ["--yes"], "uninstall": ["--yes"]}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be in somebody else's home")


@pytest.fixture
def theirs(project: Project) -> Project:
    """A project whose home is another user's."""
    for path in [project.home, *project.home.rglob("*")]:
        os.chown(path, OWNER, OWNER)
    project.write("all: ; @echo hi\n")
    return project


def contents(project: Project) -> list[tuple[Path, int]]:
    return sorted((path, path.lstat().st_uid) for path in project.home.rglob("*"))


def environment(project: Project, **more: str) -> dict[str, str]:
    names = project.environment()
    names.pop("MAKE_METRICS_HOME")
    return {**names, "HOME": str(project.home), "PYTHONPATH": str(SOURCE), **more}


def command(project: Project, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "make_metrics", *words], cwd=project.folder, env=environment(project, **more),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_make_writes_nothing(theirs: Project) -> None:
    before = contents(theirs)
    done = theirs.make(env=environment(theirs))
    assert (done.returncode, done.stdout, done.stderr) == (0, "hi\n", "")
    assert contents(theirs) == before


def test_a_make_writes_nothing_into_what_is_there(theirs: Project) -> None:
    for path in (theirs.paths.state, theirs.paths.records, theirs.paths.makes):
        path.mkdir()
        os.chown(path, OWNER, OWNER)
    before = contents(theirs)
    assert theirs.make(env=environment(theirs)).stdout == "hi\n"
    assert contents(theirs) == before


@pytest.mark.parametrize("name", [each.name for each in COMMANDS if each.name != "trace"])
def test_no_command_writes_or_removes_anything(theirs: Project, name: str) -> None:
    data = theirs.home / ".local/share/make-metrics"
    data.mkdir(parents=True)
    for file in ("metrics.mk", "off"):
        (data / file).touch()
    for path in (theirs.home / ".local", *(theirs.home / ".local").rglob("*")):
        os.chown(path, OWNER, OWNER)
    before = contents(theirs)
    done = command(theirs, name, *ARGUMENTS.get(name, []))
    assert contents(theirs) == before
    assert "Traceback" not in done.stderr
    if name in ("report", "setup", "sent", "runs", "off", "on", "uninstall"):
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert f"is in a directory of user {OWNER}: root writes nothing there" in done.stderr


def test_doctor_says_what_earlier_versions_left_and_how_to_give_it_back(theirs: Project) -> None:
    local = theirs.home / ".local"
    (local / "state").mkdir(parents=True, mode=0o700)
    local.chmod(0o700)
    config = theirs.home / ".config"
    (config / "make-metrics").mkdir(parents=True, mode=0o700)
    os.chown(config, OWNER, OWNER)
    found = owners_seen_by_the_user(theirs, [local / "share/make-metrics", config / "make-metrics", local / "state/x"])
    assert found == [str(local), str(config / "make-metrics")]
    for path in (local, *local.rglob("*")):
        os.chown(path, OWNER, OWNER)
    assert owners_seen_by_the_user(theirs, [local / "share/make-metrics"]) == []


def owners_seen_by_the_user(project: Project, directories: list[Path]) -> list[str]:
    """What `left_by_root` finds when the home's owner asks: in a child, as root cannot become root again."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.chdir(project.home)  # what is above belongs to root, and is closed
            os.setuid(OWNER)
            os.write(writing, "\n".join(map(str, owners.left_by_root(
                [Path(os.path.relpath(each, project.home)) for each in directories], Path()
            ))).encode())  # fmt: skip
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with os.fdopen(reading) as file:
        return [str(project.home / line) for line in file.read().splitlines()]


def test_what_root_has_of_its_own_stays_roots(project: Project) -> None:
    project.write("all: ; @echo hi\n")
    assert project.make(env=environment(project)).stdout == "hi\n"
    assert command(project, "report", MAKE_METRICS_HOME=str(project.home)).stdout.count("all") == 1
