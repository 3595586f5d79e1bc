"""`make-metrics on-this-machine`: recording goes on, sending ends."""

from __future__ import annotations

import time

from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing


def test_on_this_machine_ends_an_opt_in(sharing: Sharing, receiver: Receiver) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    sharing.cli("report")
    assert sharing.cli("on-this-machine").splitlines() == [
        "recording on this machine, nothing is sent",
        f"took back your yes for {sharing.project.folder} (make-metrics opt-in asks again)",
    ]
    assert sharing.cli("on-this-machine") == "recording on this machine, nothing is sent\n"
    sharing.make("b")
    sharing.cli("flush", status=1)
    assert "on-this-machine after your yes" in sharing.errors
    assert receiver.requests == []
    assert "make-metrics opt-in shows what would be collected" in sharing.cli("status")
    assert "Thank you." in sharing.cli("opt-in", "--yes")
    assert sharing.mode() == ("on", "decision")
    sharing.make("c")
    sharing.cli("flush")
    assert receiver.commands == ["c"]
    assert set(sharing.project.events()) == {"a", "b", "c"}


def test_an_opt_in_after_on_this_machine_counts_whatever_the_clock_says(sharing: Sharing) -> None:
    sharing.cli("on-this-machine")
    sharing.paths.on_this_machine_file.write_text(f"{time.time_ns() + 10**15}\n")
    sharing.cli("opt-in", "--yes")
    assert sharing.mode() == ("on", "decision")
    sharing.paths.on_this_machine_file.write_text("?")
    assert sharing.mode() == ("local", "on-this-machine")
    sharing.cli("on-this-machine")
    assert sharing.mode() == ("local", "on-this-machine")
    sharing.cli("opt-in", "--yes")
    assert sharing.mode() == ("on", "decision")
