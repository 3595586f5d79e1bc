"""make in a container of a real engine: recorded, sent after a yes, and no process is left as a zombie."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support import container
from tests.support.project import SOURCE, Project, until
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing

# A process 1 that runs make for each of its words, and waits for no other process; then it counts zombies.
WAITS_FOR_ITS_OWN = """
import pathlib, subprocess, sys
for goal in sys.argv[2:]:
    subprocess.run([sys.argv[1], goal], check=True)
states = [path.read_text().rpartition(")")[2].split()[0] for path in pathlib.Path("/proc").glob("[0-9]*/stat")]
print("zombies:", states.count("Z"))
"""


@pytest.fixture(params=["runc", pytest.param("podman", marks=pytest.mark.minute)])
def engine(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if not container.works(name):
        pytest.skip(f"no {name}, or it cannot run a container here")
    return name


@pytest.fixture
def sharing(project: Project, receiver: Receiver, engine: str) -> Sharing:
    sharing = Sharing(project, receiver)
    project.write("a b:\n\t@echo $@\nlast:\n\t@until test -e $@.done; do sleep 0.05; done; echo $@\n")
    sharing.cli("opt-in", "--yes")
    return sharing


def test_below_a_process_1_that_reaps_a_sender_sends(
    sharing: Sharing, receiver: Receiver, engine: str, tmp_path: Path
) -> None:
    """The first make's sender sends, and mostly no second make runs here: 16 of 16 times at a load of 16 on two cores.

    A shell as process 1 that is not scheduled for 50 ms with an ended child looks like one that leaves zombies
    (sender/reaper.py). Such a make leaves its events to the next: later makes and a flush show that none is lost or
    sent as another.
    """
    project = sharing.project
    flush = f"PYTHONPATH={SOURCE} {sys.executable} -m make_metrics flush >flushed"
    script = f"until test -e sent; do {project.make_path} a; sleep 1; done; {flush}"
    environ = project.environment(MAKE_METRICS_SENDER="")
    process = container.start(engine, tmp_path / "engine", ["/bin/sh", "-c", script], environ, project.folder)
    try:
        until(lambda: "a" in receiver.commands, seconds=60, what=lambda: str(receiver.requests))
    finally:
        (project.folder / "sent").touch()
        output, errors = process.communicate(timeout=60)
    lines = output.splitlines()
    assert (process.returncode, set(lines), errors) == (0, {"a"}, "")
    events = {message["messageId"] for message in receiver.accepted if message["properties"].get("command") == "a"}
    assert len(events) == len(lines)
    assert len(set(receiver.ids)) == len(receiver.ids)


def test_below_one_that_does_not_the_next_make_sends(
    sharing: Sharing, receiver: Receiver, engine: str, tmp_path: Path
) -> None:
    project = sharing.project
    words = [sys.executable, "-c", WAITS_FOR_ITS_OWN, project.make_path, "a", "b", "last"]
    process = container.start(
        engine, tmp_path / "engine", words, project.environment(MAKE_METRICS_SENDER=""), project.folder
    )
    try:
        until(lambda: sorted(receiver.commands) == ["a", "b"], seconds=60)
    finally:
        (project.folder / "last.done").touch()
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "a\nb\nlast\nzombies: 0\n", "")
    assert len(set(receiver.ids)) == len(receiver.ids)
