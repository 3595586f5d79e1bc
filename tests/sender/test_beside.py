"""Where process 1 does not reap, as in many containers, the first line of a make sends what earlier makes have left."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from make_metrics.sender import protocol
from tests.support.project import SOURCE, Project, until
from tests.support.segment_receiver import Answer, Receiver
from tests.support.sharing_project import Sharing

NAMESPACE = ["unshare", "-pf", "--mount-proc", "--kill-child"]
# A process 1 that waits only for its own children: it runs make once for each of its words.
FIRST = "import subprocess, sys\nfor goal in sys.argv[2:]: subprocess.run([sys.argv[1], goal], check=True)"
# A sender that has the processor only when the time of one that outlives make is over.
STARVED = """
import time
from make_metrics.sender import sender
send = sender._send
def send_late(*words, **more):
    time.sleep(1)
    send(*words, **more)
sender._send, sender.LIFETIME_S, sender._limit_lifetime.__defaults__ = send_late, 0.5, (0.5,)
sender.main()
"""

pytestmark = pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode != 0,
    reason="no process may make a pid namespace here",
)


@pytest.fixture
def sharing(each: Project, receiver: Receiver) -> Sharing:
    """A project with a yes, and goals that take as long as a file is missing."""
    sharing = Sharing(each, receiver)
    each.write("a b:\n\t@echo $@\nfirst second:\n\t@until test -e $@.done; do sleep 0.05; done; echo $@\n")
    sharing.cli("opt-in", "--yes")
    return sharing


@contextmanager
def made(sharing: Sharing, *goals: str) -> Iterator[subprocess.Popen[str]]:
    """Makes in a pid namespace of their own, one after the other."""
    environ = sharing.project.environment(MAKE_METRICS_SENDER="")
    words = [*NAMESPACE, sys.executable, "-c", FIRST, sharing.project.make_path, *goals]
    process = subprocess.Popen(
        words, cwd=sharing.project.folder, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def end(sharing: Sharing, goal: str) -> None:
    Path(sharing.project.folder, f"{goal}.done").touch()


def test_a_first_line_sends_what_earlier_makes_have_left(sharing: Sharing, receiver: Receiver) -> None:
    with made(sharing, "a", "b", "first") as process:
        until(lambda: set(receiver.commands) == {"a", "b"}, seconds=60)
        end(sharing, "first")
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "a\nb\nfirst\n", "")
    # The second make's sender may have been ended just when a message had left: that one leaves again, with its id.
    assert len({(message["messageId"], message["properties"].get("command")) for message in receiver.accepted}) == 3


def test_a_busy_machine_gives_it_longer_than_a_sender_that_outlives_make(
    tmp_path: Path, home: Path, receiver: Receiver
) -> None:
    sharing = Sharing(Project(tmp_path / "project", home), receiver)
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    task = {protocol.MAKE: protocol.BESIDE, protocol.GROUP: "0", protocol.STATE: str(sharing.paths.state)}
    task[protocol.PROJECT] = str(sharing.project.folder)
    env = {**sharing.project.environment(), "PYTHONPATH": str(SOURCE), **task}
    done = sharing.project.run([sys.executable, "-c", STARVED], env=env)
    assert (done.returncode, done.stderr, receiver.commands) == (0, "", ["a"])


def test_the_end_of_the_line_ends_it_and_the_next_make_goes_on(sharing: Sharing, receiver: Receiver) -> None:
    receiver.answers(Answer(deed="hang"))
    with made(sharing, "a", "first", "second") as process:
        until(lambda: receiver.requests, seconds=60)
        end(sharing, "first")
        until(lambda: "a" in receiver.commands, seconds=60)
        end(sharing, "second")
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, output, errors) == (0, "a\nfirst\nsecond\n", "")
