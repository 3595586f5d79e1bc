"""`make-metrics opt-out`: nothing is sent after it, and nothing of before it."""

from __future__ import annotations

import subprocess

from make_metrics.project.settings import NAME
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing


def test_nothing_after_the_no_and_nothing_of_before(sharing: Sharing, receiver: Receiver) -> None:
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


def test_a_no_while_make_runs(sharing: Sharing, receiver: Receiver) -> None:
    sharing.project.write("slow:\n\t@echo begun; cat\n")
    sharing.cli("opt-in", "--yes")
    with sharing.project.start("slow", stdin=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "begun\n"
        sharing.cli("opt-out")
        sharing.cli("opt-in", "--yes")  # a new yes, after the run began
        running.communicate("")
    sharing.cli("flush")
    assert receiver.commands == []
    assert "slow" in sharing.project.events()


def test_an_opt_out_is_told_only_if_the_notice_said_so(sharing: Sharing, receiver: Receiver) -> None:
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


def test_a_no_also_ends_what_the_settings_that_are_away_began(sharing: Sharing, receiver: Receiver) -> None:
    """As on a branch that does not have them; the repository's root is the project then."""
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
