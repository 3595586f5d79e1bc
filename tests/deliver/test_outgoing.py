"""Which events leave: from real makes to a real receiver."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing


def test_without_a_decision_events_stay_here(sharing: Sharing, receiver: Receiver) -> None:
    sharing.make()
    assert set(sharing.project.events()) == {"all", "a"}
    assert sharing.cli("flush") == "nothing sent\n"
    assert sharing.mode() == ("local", "default")
    assert receiver.requests == []


def test_events_after_an_opt_in_are_sent_once(sharing: Sharing, receiver: Receiver) -> None:
    sharing.make("b")
    output, status = sharing.answer("y")
    assert status == 0
    assert "Thank you." in output
    assert sharing.mode() == ("on", "decision")
    sharing.make()
    assert "3 events sent" in sharing.cli("flush")
    assert sorted(receiver.commands) == ["a", "all"]  # b was recorded before the opt-in
    (choice,) = [message["properties"] for message in receiver.accepted if "choice" in message["properties"]]
    assert (choice["command"], choice["choice"]) == ("metrics-opt-in", "in")
    assert {message["anonymousId"] for message in receiver.accepted} == {sharing.status()["id"]}
    assert sharing.status()["waiting"]["events"] == 0
    assert sharing.cli("flush") == "nothing sent\n"


@pytest.mark.parametrize("change", ["sink", "endpoint", "purpose"])
def test_changed_settings_pause_sending_until_they_are_accepted(
    sharing: Sharing, receiver: Receiver, change: str
) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    sharing.cli("report")
    if change == "sink":
        sharing.settings(hosts=[receiver.host, f"{receiver.host}/second"])
    elif change == "endpoint":
        sharing.settings(hosts=[f"{receiver.host}/other"])
    else:
        sharing.settings().write_text(sharing.settings().read_text().replace("faster", "slower"))
    assert sharing.mode() == ("local", "decision")
    sharing.make("b")
    sharing.cli("flush", status=1)
    assert "has changed since your yes" in sharing.errors
    assert receiver.requests == []
    sharing.cli("opt-in", "--yes")
    sharing.make("all")
    sharing.cli("flush")
    assert "b" not in receiver.commands  # recorded during the pause
    assert "all" in receiver.commands
    first = [request for request in receiver.requests if request.path == "/v1/batch"]
    assert bool(first) == (change != "endpoint")


def test_targets_that_are_files_are_not_sent(sharing: Sharing, receiver: Receiver) -> None:
    sharing.project.write(
        "all: main.o build/x plain dev.pull\n\t@echo all\n"
        "main.o build/x plain:\n\t@mkdir -p build; touch $@\ndev.pull:\n\t@echo pull\n"
    )
    sharing.cli("opt-in", "--yes")
    sharing.make()
    sharing.cli("flush")
    assert sorted(receiver.commands) == ["all", "dev.pull"]
    assert set(sharing.project.events()) == {"all", "main.o", "build/x", "plain", "dev.pull"}
    sharing.settings("send-file-targets = true")
    sharing.cli("opt-in", "--yes")
    for name in ("main.o", "build/x", "plain"):
        (sharing.project.folder / name).unlink()
    receiver.accepted.clear()
    sharing.make()
    sharing.cli("flush")
    assert sorted(receiver.commands) == ["all", "build/x", "dev.pull", "main.o", "plain"]


def test_only_makes_of_the_project_are_sent(sharing: Sharing, receiver: Receiver, tmp_path: Path) -> None:
    """A make that a recipe starts in another directory belongs to another project, or to none."""
    outside, inside = tmp_path / "outside", sharing.project.folder / "inside"
    for folder in (outside, inside):
        folder.mkdir()
        (folder / "Makefile").write_text(f"{folder.name}:\n\t@echo x\n{sharing.project.line}\n")
    (sharing.project.folder / ".git").mkdir()
    sharing.project.write(f"all:\n\t@$(MAKE) -sC {inside}\n\t@$(MAKE) -sC {outside}\n")
    sharing.cli("opt-in", "--yes")
    sharing.make()
    sharing.cli("flush")
    assert sorted(receiver.commands) == ["all", "inside"]


def test_a_changed_default_branch_needs_another_opt_in(sharing: Sharing) -> None:
    """The events say whether the default branch is checked out."""
    sharing.cli("opt-in", "--yes")
    sharing.settings('default-branch = "secret"')
    assert sharing.mode() == ("local", "decision")
    assert "secret counts as the default branch" in sharing.cli("opt-in", "--yes")


def test_the_default_branch_is_what_the_project_says(sharing: Sharing) -> None:
    environ = {**sharing.project.environment(), "GIT_CONFIG_GLOBAL": "/dev/null"}
    for words in (
        "init -q -b trunk",
        "-c user.name=a -c user.email=a@example.org commit -q --allow-empty -m a",
    ):
        subprocess.run(["git", *words.split()], cwd=sharing.project.folder, check=True, env=environ)
    sharing.make("a")
    sharing.project.cli("report")
    sharing.settings('default-branch = "trunk"')
    sharing.make("b")
    events = sharing.project.events()
    assert (events["a"]["git_checked_out_master"], events["b"]["git_checked_out_master"]) == (False, True)
