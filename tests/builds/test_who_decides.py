"""What the environment of make, a makefile, CI and sudo may decide about recording and sending, in real builds."""

from __future__ import annotations

import os
import re
import shutil

import pytest

from tests.support.project import Project
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing

HOMES = ("export HOME := {}", "export XDG_CONFIG_HOME := {}")


@pytest.mark.parametrize(
    ("environ", "rule"),
    [({"DO_NOT_TRACK": "1"}, "DO_NOT_TRACK"), ({"MAKE_METRICS": "local"}, "MAKE_METRICS")],
    ids=["DO_NOT_TRACK", "MAKE_METRICS"],
)
def test_what_the_environment_of_make_forbids_is_never_sent(
    sharing: Sharing, receiver: Receiver, environ: dict[str, str], rule: str
) -> None:
    sharing.cli("opt-in", "--yes")
    assert sharing.mode(**environ) == ("local", rule)
    lifted = "unexport DO_NOT_TRACK MAKE_METRICS\nexport MAKE_METRICS := on\nexport DO_NOT_TRACK := 0\na:\n\t@echo a\n"
    sharing.project.write(lifted)  # nothing in a repository can opt in
    sharing.make("a", **environ)
    sharing.cli("flush")
    assert receiver.commands == []
    assert set(sharing.project.events()) == {"a"}
    sharing.project.write("a:\n\t@echo a\nb:\n\t@echo b\n")
    sharing.make("b")
    sharing.cli("flush", status=1, environ=environ)
    assert receiver.commands == []
    sharing.cli("flush")
    assert receiver.commands == ["b"]


def test_off_records_nothing_and_runs_the_makefiles_own_shell(sharing: Sharing) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.cli("off")
    sharing.project.write("a:\n\t@tr '\\0' ' ' </proc/$$PPID/cmdline\n")
    done = sharing.project.make("a")
    assert "entry.py" not in done.stdout
    assert sharing.project.records() == []
    assert sharing.mode() == ("off", "off")
    sharing.cli("on-this-machine")
    assert sharing.mode() == ("local", "on-this-machine")


def test_decisions_in_a_home_that_a_makefile_names_do_not_count(sharing: Sharing, receiver: Receiver) -> None:
    """A home in the repository that has an opt-in, and flushes of the developer's home and of that one."""
    planted = sharing.project.folder / "planted"
    sharing.cli("opt-in", "--yes", environ={"MAKE_METRICS_HOME": str(planted)})
    sharing.cli("flush", environ={"MAKE_METRICS_HOME": str(planted)})
    receiver.accepted.clear()
    for variable, value in (("MAKE_METRICS_HOME", planted), ("XDG_CONFIG_HOME", planted), ("HOME", planted)):
        sharing.project.write(f"export {variable} := {value}\na:\n\t@echo a\n")
        sharing.make("a")
    sharing.cli("flush")
    sharing.cli("flush", environ={"MAKE_METRICS_HOME": str(planted)})
    assert receiver.commands == []


@pytest.mark.parametrize("exported", HOMES, ids=lambda text: text.split()[1])
@pytest.mark.parametrize("planted", [False, True], ids=["elsewhere", "planted"])
def test_a_make_that_combines_the_records_of_others_decides_nothing(
    sharing: Sharing, receiver: Receiver, exported: str, planted: bool
) -> None:
    """A makefile with another home: the developer's opt-in still counts, and one in that home does not."""
    other_home = sharing.project.folder / "home"
    config = other_home / (".config" if "XDG" not in exported else "") / "make-metrics"
    sharing.cli("opt-in", "--yes")
    if planted:
        shutil.copytree(sharing.paths.config, config)
        (decided,) = (config / "consent").glob("*.json")
        decided.write_text(re.sub(r'"decided_ns": \d+', '"decided_ns": 1', decided.read_text()))
        sharing.cli("opt-out")
        shutil.rmtree(sharing.paths.config)
    for _ in range(16):
        sharing.make("b")
    other = Project(sharing.project.folder.parent / "other", sharing.project.home, sharing.project.make_path)
    waits = "for try in $$(seq 1600); do set -- {}/*.rec; [ $$# -gt 3 ] || exit 0; sleep 0.05; done; exit 1"
    home = f"unexport MAKE_METRICS_HOME\n{exported.format(other_home)}"
    other.write(f"{home}\nwait:\n\t@{waits.format(sharing.paths.records)}\n")
    if planted:
        sharing.cli("opt-in", "--yes")
    assert other.make("wait").returncode == 0
    sharing.cli("flush")
    assert receiver.commands.count("b") == (0 if planted else 16)


@pytest.mark.parametrize("damage", ["corrupt", "unreadable"])
def test_a_damaged_decision_switches_recording_off_and_loses_no_event(
    sharing: Sharing, receiver: Receiver, damage: str
) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.make("b")
    (decision,) = sharing.paths.decisions.iterdir()
    if damage == "corrupt":
        decision.write_bytes(b'{"decision": "yes"')
    else:
        decision.rename(decision.with_suffix(".old"))
        decision.symlink_to(decision.with_suffix(".old"))
    sharing.make()
    assert set(sharing.project.events()) == {"b"}, "a damaged decision costs no recorded event"
    sharing.cli("flush", status=1)
    assert receiver.requests == []
    status = sharing.status()
    assert (status["mode"], status["decision"]) == ("off", damage)
    assert "BAD   recording" in sharing.project.cli("doctor").stdout
    if damage == "unreadable":
        decision.unlink()
    sharing.cli("opt-in", "--yes")
    sharing.make("c")
    sharing.cli("flush")
    assert receiver.commands == ["c"]  # nothing from before this opt-in
    assert set(sharing.project.events()) == {"b", "c"}


def test_in_ci_only_a_decision_counts(sharing: Sharing) -> None:
    assert sharing.mode(CI="true") == ("off", "ci")
    sharing.cli("opt-in", "--yes", environ={"CI": "true"})
    assert sharing.mode(CI="true") == ("on", "decision")
    sharing.cli("opt-out", environ={"CI": "true"})
    assert sharing.mode(CI="true") == ("local", "decision")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_through_sudo_writes_nothing(sharing: Sharing) -> None:
    for words in (["opt-in", "--yes"], ["opt-out"], ["flush"], ["forget", "--yes"]):
        before = sharing.files()
        sharing.cli(*words, status=1, environ={"SUDO_UID": "1000"})
        assert "without sudo" in sharing.errors
        assert sharing.files() == before
    assert sharing.mode(SUDO_UID="1000") == ("off", "sudo")
