"""`make-metrics on`: what was before `off` counts again."""

from __future__ import annotations

import sys

import pytest

from tests.support.project import SOURCE
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing


@pytest.mark.parametrize("before", [[], ["opt-in", "--yes"], ["opt-out"], ["on-this-machine"]], ids=" ".join)
def test_what_was_before_counts_again(sharing: Sharing, before: list[str]) -> None:
    if before:
        sharing.cli(*before)
    mode, in_ci = sharing.mode(), sharing.mode(CI="true")
    assert "make-metrics on turns it on again" in sharing.cli("off")
    assert sharing.mode() == ("off", "off")
    said = sharing.cli("on")
    assert said.startswith("Recording is on again, as before make-metrics off.\nHere events are recorded")
    assert (sharing.mode(), sharing.mode(CI="true")) == (mode, in_ci)
    assert sharing.cli("on").startswith("make-metrics off was not in force.\n")


def test_a_yes_from_before_sends_again(sharing: Sharing, receiver: Receiver) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.cli("off")
    sharing.make("a")
    assert "sent (you said yes" in sharing.cli("on")
    sharing.make("b")
    sharing.cli("flush")
    assert receiver.commands == ["b"]


def test_a_recipe_cannot_turn_recording_on(sharing: Sharing) -> None:
    sharing.cli("off")
    sharing.project.write(f"deps:\n\t@env -u MAKELEVEL {sys.executable} -m make_metrics on\n")
    done = sharing.project.make("deps", env=sharing.project.environment(PYTHONPATH=str(SOURCE)))
    assert done.returncode == 2
    assert "a recipe cannot turn recording on" in done.stderr
    assert sharing.mode() == ("off", "off")
