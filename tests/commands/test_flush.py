"""`make-metrics flush`: sends or prints, and a failure loses nothing."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from tests.support.project import SOURCE, until
from tests.support.segment_receiver import Answer, Receiver
from tests.support.sharing_project import Sharing


def test_log_prints_instead_of_sending(sharing: Sharing, receiver: Receiver) -> None:
    sharing.settings("send-opt-out = true")
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    environ = {"MAKE_METRICS": "log"}
    assert sharing.mode(**environ) == ("on", "decision")
    assert "MAKE_METRICS is log" in sharing.cli("status", environ=environ)
    assert (sharing.status()["prints"], sharing.status(**environ)["prints"]) == (False, True)
    assert sharing.cli("flush", environ=environ).startswith(f"POST {receiver.host}/v1/batch\n{{")
    sharing.make("b", **environ)
    said = sharing.cli("opt-out", environ=environ)
    assert '"choice": "out"' in said
    assert receiver.requests == []


@pytest.mark.parametrize("deed", ["reset", "garbage"])
def test_a_receiver_in_trouble_is_one_line(sharing: Sharing, receiver: Receiver, deed: str) -> None:
    sharing.cli("opt-in", "--yes")
    receiver.answers(Answer(deed=deed))
    assert sharing.cli("flush", status=1) == "nothing sent\n"
    assert sharing.errors == f"make-metrics: {receiver.host}: the receiver cannot be reached: 1 event waits\n"


@pytest.mark.parametrize("words", [("flush",), ("forget", "--yes")], ids=" ".join)
def test_what_every_step_of_a_command_meets_is_said_once(sharing: Sharing, words: tuple[str, ...]) -> None:
    sharing.paths.state.parent.mkdir(parents=True, exist_ok=True)
    sharing.paths.state.symlink_to(sharing.project.folder)
    sharing.cli(*words, status=1)
    (line,) = sharing.errors.splitlines()
    assert "is not a directory (or is a symbolic link): move it away" in line


@pytest.mark.parametrize("command", ["status", "opt-in", "flush"])
def test_only_sending_loads_the_client_library(sharing: Sharing, command: str) -> None:
    script = f"import sys; from make_metrics.cli import main; main([{command!r}, *sys.argv[1:]]); print(*sys.modules)"
    more = ["--yes"] if command == "opt-in" else []
    done = sharing.project.run(
        [sys.executable, "-c", script, *more], env={**sharing.project.environment(), "PYTHONPATH": str(SOURCE)}
    )
    assert done.returncode == 0
    assert not set(done.stdout.split()) & {"requests", "segment", "make_metrics.sinks.segment"}


def test_ctrl_c_while_sending_loses_nothing(sharing: Sharing, receiver: Receiver) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    receiver.answers(Answer(deed="hang"))
    env = {**sharing.project.environment(), "PYTHONPATH": str(SOURCE)}
    with subprocess.Popen(
        [sys.executable, "-m", "make_metrics", "flush"], cwd=sharing.project.folder, env=env
    ) as running:
        until(lambda: receiver.requests)
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 130
    assert sharing.status()["waiting"]["events"] == 2
    sharing.cli("flush")
    assert receiver.commands == ["a"]


def test_what_was_refused_is_sent_again_when_asked_for(sharing: Sharing, receiver: Receiver) -> None:
    receiver.answers(400)
    sharing.cli("opt-in", "--yes")
    assert "1 event refused for good" in sharing.cli("flush")
    assert list(sharing.status()["set_aside"].values()) == [1]
    assert sharing.cli("flush") == "nothing sent\n"
    assert sharing.cli("flush", "--retry") == "1 event sent\n"
    assert sharing.status()["set_aside"] == {}


def test_retry_does_not_wait_for_a_key_that_was_wrong(sharing: Sharing, receiver: Receiver) -> None:
    receiver.answers(401)
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    sharing.cli("flush", status=1)
    assert "not tried again for" in (sharing.cli("flush", status=1), sharing.errors)[1]
    asked = len(receiver.requests)
    assert "sent" in sharing.cli("flush", "--retry")
    assert len(receiver.requests) > asked
    assert receiver.commands == ["a"]
