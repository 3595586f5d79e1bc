"""`make-metrics forget`: the events go, the decisions stay."""

from __future__ import annotations

from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing


def test_forget_removes_events_and_keeps_decisions(sharing: Sharing, receiver: Receiver) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    sharing.cli("flush")
    sharing.make("b")
    sharing.cli("forget")
    assert sharing.project.events() == {}
    assert sharing.cli("sent") == "Nothing was sent from this project in the last 90 days.\n"
    assert sharing.mode()[0] == "on"
    for path in sharing.paths.state.glob("store*"):
        assert b"metrics-opt-in" not in path.read_bytes()
    sharing.make("b")
    sharing.cli("flush")
    assert receiver.commands == ["a", "b"]
