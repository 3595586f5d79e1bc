"""Make hands to a line what an earlier line of it has left (tests/hot/test_known_make.py)."""

from __future__ import annotations

import sys

import pytest

from make_metrics.combine import record
from tests.support.project import Project

pytestmark = [
    pytest.mark.asks_system,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere make cannot put the file's name together"),
]
# The second line waits for what its launcher leaves, and writes the name of another run into it.
_CHANGE = (
    "until ls $(MAKES)/known.* >/dev/null 2>&1; do sleep 0.01; done; "
    "sed -i 's/^[^:]*/0123abcd.78.4243/' $(MAKES)/known.*"
)


@pytest.fixture(autouse=True)
def _compiled(compiled: bool) -> None:
    if not compiled:
        pytest.skip("the Python shim leaves nothing")


def _targets(project: Project) -> dict[str, list[str]]:
    """The targets that each run's record has, in their order."""
    found = {path.stem: record.parse(path.read_bytes()) for path in project.records()}
    return {run: [line.target for line in contents.lines] for run, contents in found.items()}


@pytest.mark.parametrize("shell", ["", "SHOWN = $(SHELL)\n"], ids=["SHELL hook", "flags hook"])
def test_the_third_line_is_handed_what_the_second_has_left(project: Project, shell: str) -> None:
    lines = "".join(f"{name}:\n\t@true; echo {name}\n" for name in ("a", "c", "d"))
    project.write(f"{shell}MAKES := {project.paths.makes}\nall: a b c d\nb:\n\t@{_CHANGE}\n{lines}")
    done = project.make("all")
    assert (done.returncode, done.stdout.split()) == (0, ["a", "c", "d"])
    runs = _targets(project)
    assert len(runs) == 2
    assert runs.pop("0123abcd.78.4243") == ["c", "d"]
    assert list(runs.values()) == [["a", "b"]]


def test_each_line_is_recorded_once_and_the_file_goes_with_its_make(project: Project) -> None:
    names = [f"t{number}" for number in range(12)]
    project.write(f"all: {' '.join(names)}\n{' '.join(names)}:\n\t@true\n\t@: second\n")
    assert project.make("-j3").returncode == 0
    assert list(project.paths.makes.glob("known.*"))
    (recorded,) = _targets(project).values()
    assert sorted(recorded) == sorted(names * 2)
    events = project.events()
    assert {name: events[name]["exit_status"] for name in names} == dict.fromkeys(names, 0)
    assert not list(project.paths.makes.glob("known.*"))
