"""Consent from its user's side: real make, real terminals, and a real receiver."""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from make_metrics import cli
from make_metrics.consent.mode import Decision, Inputs, decide
from make_metrics.project.settings import NAME
from make_metrics.sweep.sweep import Swept
from tests.support.project import SOURCE, Project, makes, until
from tests.support.segment_receiver import Answer, Receiver, receiving
from tests.support.sharing_project import Sharing, ended


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def sharing(tmp_path: Path, home: Path, receiver: Receiver) -> Sharing:
    return Sharing(Project(tmp_path / "project", home, next(iter(makes().values()))), receiver)


def test_undecided_nothing_leaves_and_local_events_are_there(sharing: Sharing, receiver: Receiver) -> None:
    sharing.make()
    assert set(sharing.project.events()) == {"all", "a"}
    assert sharing.cli("flush") == "nothing sent\n"
    assert sharing.mode() == ("local", "default")
    assert receiver.requests == []


def test_a_yes_then_make_then_flush(sharing: Sharing, receiver: Receiver) -> None:
    sharing.make("b")
    said, status = _answer(sharing, "y")
    assert status == 0
    assert "Thank you." in said
    assert sharing.mode() == ("on", "decision")
    sharing.make()
    assert "3 events sent" in sharing.cli("flush")
    assert sorted(receiver.commands) == ["a", "all"]  # and not b, which was recorded before the yes
    (choice,) = [message["properties"] for message in receiver.accepted if "choice" in message["properties"]]
    assert (choice["command"], choice["choice"]) == ("metrics-opt-in", "in")
    assert {message["anonymousId"] for message in receiver.accepted} == {sharing.status()["id"]}
    assert sharing.status()["waiting"]["events"] == 0
    assert sharing.cli("flush") == "nothing sent\n"


def _answer(sharing: Sharing, text: str) -> tuple[str, int | None]:
    terminal = sharing.asked()
    terminal.sendline(text)
    return ended(terminal)


@pytest.mark.parametrize("text", ["yes", "Y", " YES "])
def test_a_yes_may_be_written_so(sharing: Sharing, text: str) -> None:
    _answer(sharing, text)
    assert sharing.mode()[0] == "on"


def test_a_yes_without_its_end_is_none(sharing: Sharing) -> None:
    terminal = sharing.asked()
    terminal.send("y")
    terminal.sendeof()  # hands over the line as it is
    terminal.sendeof()
    assert "nothing is sent" in ended(terminal)[0]
    assert sharing.mode() == ("local", "default")


@pytest.mark.parametrize("text", ["", "n", "no", "ye", "yess", "y y", "1", "j", "true", "\x1b[A"])
def test_any_other_answer_changes_nothing(sharing: Sharing, text: str) -> None:
    before = sharing.files()
    said, status = _answer(sharing, text)
    assert status == 0
    assert "Nothing was changed" in said
    assert sharing.files() == before


def test_end_of_file_changes_nothing(sharing: Sharing) -> None:
    before = sharing.files()
    terminal = sharing.asked()
    terminal.sendeof()
    said, status = ended(terminal)
    assert (status, "Nothing was changed" in said) == (0, True)
    assert sharing.files() == before


def test_half_a_yes_before_the_end_of_file_is_one(sharing: Sharing) -> None:
    """What was typed and sent off is an answer; what was not is none."""
    terminal = sharing.asked()
    terminal.send("n")
    terminal.sendeof()
    terminal.sendeof()
    _, status = ended(terminal)
    assert status == 0
    assert not sharing.paths.config.exists()


def test_ctrl_c_changes_nothing(sharing: Sharing) -> None:
    before = sharing.files()
    terminal = sharing.asked()
    terminal.sendintr()
    said, status = ended(terminal)
    assert status == 130
    assert "Traceback" not in said
    assert sharing.files() == before


def test_without_a_terminal_nobody_is_asked(sharing: Sharing) -> None:
    before = sharing.files()
    assert sharing.cli("opt-in", status=1) == ""
    assert sharing.said.count("\n") == 1
    assert "--yes" in sharing.said
    assert sharing.files() == before
    sharing.cli("opt-in", "--yes")
    assert sharing.mode()[0] == "on"
    assert sharing.cli("opt-in") == "You have said yes already.\n"


def test_settings_that_change_while_asked_are_not_agreed_to(sharing: Sharing) -> None:
    terminal = sharing.asked()
    sharing.settings(hosts=["https://elsewhere.example.org"])
    terminal.sendline("y")
    said, status = ended(terminal)
    assert status == 1
    assert "has changed meanwhile" in said
    assert not sharing.paths.config.exists()


def test_the_notice_says_what_where_and_why(sharing: Sharing, receiver: Receiver) -> None:
    said = sharing.cli("opt-in", "--yes")
    for words in ("The example team", "to make builds faster", receiver.host, "git_commit_time", "anonymousId"):
        assert words in said


def test_nothing_to_agree_to_is_one_line(sharing: Sharing) -> None:
    (sharing.project.folder / NAME).unlink()
    for words in (["opt-in", "--yes"], ["preview"]):
        assert sharing.cli(*words, status=1) == ""
        assert sharing.said.count("\n") == 1
    assert sharing.cli("status", "-C", "nowhere", status=1) == ""
    (sharing.project.folder / NAME).write_text("sinks = 3\nconsent = true\n")
    assert [problem.split(": ")[1] for problem in sharing.status()["problems"]] == ["consent", "sinks"]
    sharing.make()  # and the build does not care


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


@pytest.mark.parametrize("change", ["sink", "endpoint", "purpose"])
def test_a_change_pauses_until_it_is_accepted(sharing: Sharing, receiver: Receiver, change: str) -> None:
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
    assert "has changed since your yes" in sharing.said
    assert receiver.requests == []
    sharing.cli("opt-in", "--yes")
    sharing.make("all")
    sharing.cli("flush")
    assert "b" not in receiver.commands  # recorded during the pause
    assert "all" in receiver.commands
    first = [request for request in receiver.requests if request.path == "/v1/batch"]
    assert bool(first) == (change != "endpoint")


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
    sharing.project.write(lifted)  # nothing in a repository can grant consent
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


def test_on_this_machine_takes_a_yes_back(sharing: Sharing, receiver: Receiver) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    sharing.cli("report")
    assert sharing.cli("on-this-machine") == "recording on this machine, nothing is sent\n"
    sharing.make("b")
    sharing.cli("flush", status=1)
    assert "on-this-machine after your yes" in sharing.said
    assert receiver.requests == []
    assert "make-metrics opt-in shows what would be collected" in sharing.cli("status")
    assert "Thank you." in sharing.cli("opt-in", "--yes")
    assert sharing.mode() == ("on", "decision")
    sharing.make("c")
    sharing.cli("flush")
    assert receiver.commands == ["c"]
    assert set(sharing.project.events()) == {"a", "b", "c"}


def test_a_yes_counts_after_on_this_machine_whatever_the_clock_says(sharing: Sharing) -> None:
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


def test_a_makefile_cannot_lead_to_decisions_of_its_own(sharing: Sharing, receiver: Receiver) -> None:
    """A home in the repository, with a yes in it, and whoever combines and sends for that home."""
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


HOMES = ("export HOME := {}", "export XDG_CONFIG_HOME := {}")


@pytest.mark.parametrize("exported", HOMES, ids=lambda text: text.split()[1])
@pytest.mark.parametrize("planted", [False, True], ids=["elsewhere", "planted"])
def test_a_makefile_that_combines_what_waits_decides_nothing(
    sharing: Sharing, receiver: Receiver, exported: str, planted: bool
) -> None:
    """With another home in it, neither is lost what the developer agreed to, nor does an agreement in there count."""
    place = sharing.project.folder / "home"
    config = place / (".config" if "XDG" not in exported else "") / "make-metrics"
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
    home = f"unexport MAKE_METRICS_HOME\n{exported.format(place)}"
    other.write(f"{home}\nwait:\n\t@{waits.format(sharing.paths.records)}\n")
    if planted:
        sharing.cli("opt-in", "--yes")
    assert other.make("wait").returncode == 0
    sharing.cli("flush")
    assert receiver.commands.count("b") == (0 if planted else 16)


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


@pytest.mark.parametrize("damage", ["corrupt", "unreadable"])
def test_a_damaged_decision_is_off_and_loses_nothing(sharing: Sharing, receiver: Receiver, damage: str) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.make("b")
    (decision,) = sharing.paths.decisions.iterdir()
    if damage == "corrupt":
        decision.write_bytes(b'{"decision": "yes"')
    else:
        decision.rename(decision.with_suffix(".old"))
        decision.symlink_to(decision.with_suffix(".old"))
    sharing.make()
    assert set(sharing.project.events()) == {"b"}, "bad input never costs recorded data"
    sharing.cli("flush", status=1)
    assert receiver.requests == []
    found = sharing.status()
    assert (found["mode"], found["decision"]) == ("off", damage)
    assert "BAD   recording" in sharing.project.cli("doctor").stdout
    if damage == "unreadable":
        decision.unlink()
    sharing.cli("opt-in", "--yes")
    sharing.make("c")
    sharing.cli("flush")
    assert receiver.commands == ["c"]  # nothing from before this yes
    assert set(sharing.project.events()) == {"b", "c"}


def test_in_ci_nothing_is_assumed(sharing: Sharing) -> None:
    assert sharing.mode(CI="true") == ("off", "ci")
    sharing.cli("opt-in", "--yes", environ={"CI": "true"})
    assert sharing.mode(CI="true") == ("on", "decision")
    sharing.cli("opt-out", environ={"CI": "true"})
    assert sharing.mode(CI="true") == ("local", "decision")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_through_sudo_writes_nothing(sharing: Sharing) -> None:
    for words in (["opt-in", "--yes"], ["opt-out"], ["flush"], ["forget"]):
        before = sharing.files()
        sharing.cli(*words, status=1, environ={"SUDO_UID": "1000"})
        assert "without sudo" in sharing.said
        assert sharing.files() == before
    assert sharing.mode(SUDO_UID="1000") == ("off", "sudo")


def test_preview_is_what_is_sent(sharing: Sharing, receiver: Receiver) -> None:
    sharing.make()
    before = sharing.cli("preview")
    assert "nothing of this waits" in sharing.said
    assert '"anonymousId": "00000000-0000-4000-8000-000000000000"' in before
    sharing.cli("opt-in", "--yes")
    sharing.make("all")
    sharing.make("b")
    shown = sharing.cli("preview")
    assert sharing.said == ""
    logged = sharing.cli("flush", environ={"MAKE_METRICS": "log"})
    assert receiver.requests == []
    sharing.cli("flush")
    (request,) = receiver.requests
    for text in (shown, logged):
        heading, body = text.splitlines()
        assert heading == f"POST {receiver.host}{request.path}"
        assert _timeless(body.encode()) == _timeless(request.body)
    (heading, body) = sharing.cli("sent").splitlines()
    assert heading.endswith(f"POST {receiver.host}/v1/batch 4 events")
    assert body.encode() == request.body  # verbatim, the time of sending included


def _timeless(body: bytes) -> bytes:
    return re.sub(rb'"sentAt": "[^"]*"', b"", body)


def test_names_of_files_stay_here(sharing: Sharing, receiver: Receiver) -> None:
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


def test_only_the_projects_own_makes_are_sent(sharing: Sharing, receiver: Receiver, tmp_path: Path) -> None:
    """A make that a recipe starts elsewhere is another project's business, or nobody's."""
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


def test_a_default_branch_is_part_of_what_was_agreed_to(sharing: Sharing) -> None:
    """Which branch is checked out is told, for that one."""
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
    found = sharing.project.events()
    assert (found["a"]["git_checked_out_master"], found["b"]["git_checked_out_master"]) == (False, True)


def test_all_that_is_written_is_the_owners_alone(sharing: Sharing) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.make()
    sharing.cli("flush")
    for folder in (sharing.paths.config, sharing.paths.state):
        for path in (folder, *folder.rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("name", ["send.lock", "config", "state", "store"])
def test_a_planted_symbolic_link_is_refused(sharing: Sharing, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    place = {
        "send.lock": sharing.paths.send_lock,
        "config": sharing.paths.config,
        "state": sharing.paths.state,
        "store": sharing.paths.store,
    }[name]
    place.parent.mkdir(parents=True, exist_ok=True)
    if name in ("config", "state"):
        elsewhere.mkdir()
    place.symlink_to(elsewhere)
    command = ["flush"] if name == "send.lock" else ["opt-in", "--yes"]
    sharing.cli(*command, status=1)
    assert sharing.said.startswith("make-metrics: ")
    assert not elsewhere.exists() or list(elsewhere.iterdir()) == []


def test_forget_removes_what_was_recorded_and_keeps_decisions(sharing: Sharing, receiver: Receiver) -> None:
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


def test_thirty_at_once_make_one_id(sharing: Sharing) -> None:
    words = [sys.executable, "-m", "make_metrics", "opt-in", "--yes"]
    env = {**sharing.project.environment(), "PYTHONPATH": str(SOURCE)}
    running = [
        subprocess.Popen(words, cwd=sharing.project.folder, env=env, stdout=subprocess.DEVNULL) for _ in range(30)
    ]
    assert [process.wait(100) for process in running] == [0] * 30
    (identity,) = sharing.paths.identities.iterdir()
    assert sharing.status()["id"] == identity.read_text().strip()
    assert sharing.status()["waiting"]["events"] == 1  # one yes


def test_status_names_everything(sharing: Sharing, receiver: Receiver) -> None:
    found = sharing.status()
    assert (found["decision"], found["consent"], found["id"]) == ("none", None, None)
    assert "make-metrics opt-in" in sharing.cli("status")
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    sharing.cli("flush")
    found = sharing.status()
    assert found["consent"]["notice"] == found["notice"]
    assert found["consent"]["sinks"] == [f"segment {receiver.host}"]
    assert [attempt["result"] for attempt in found["attempts"]] == ["accepted"]
    assert found["paths"]["settings"] == str(sharing.project.folder / NAME)
    text = sharing.cli("status")
    for words in ("mode: on", found["id"], "waiting: nothing", "accepted", str(sharing.paths.store)):
        assert words in text


def test_status_says_how_things_stand_where_nothing_can_be_written(sharing: Sharing) -> None:
    sharing.paths.state.parent.mkdir(exist_ok=True)
    sharing.paths.state.write_text("in the way")
    found = sharing.status()
    assert found["waiting"] is None
    assert len(found["problems"]) == 1


def test_json_is_all_that_is_on_standard_output(sharing: Sharing) -> None:
    sharing.paths.state.mkdir(parents=True)
    sharing.paths.store.write_bytes(b"no store" * 100)
    assert json.loads(sharing.cli("status", "--json"))["problems"] != []


@pytest.mark.parametrize("deed", ["reset", "garbage"])
def test_a_receiver_in_trouble_is_one_line(sharing: Sharing, receiver: Receiver, deed: str) -> None:
    sharing.cli("opt-in", "--yes")
    receiver.answers(Answer(deed=deed))
    assert sharing.cli("flush", status=1) == "nothing sent\n"
    assert sharing.said == f"make-metrics: {receiver.host}: the receiver cannot be reached: 1 event waits\n"


@pytest.mark.parametrize("command", ["status", "opt-in", "flush"])
def test_the_client_library_is_loaded_to_send_only(sharing: Sharing, command: str) -> None:
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


def test_status_names_the_deciding_rule_in_each_case(
    sharing: Sharing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every decision there can be, with every environment, against the rule (tested by itself in test_mode)."""
    monkeypatch.chdir(sharing.project.folder)
    monkeypatch.setattr("make_metrics.commands.status.sweep", lambda *_, **__: Swept())
    sharing.cli("opt-in", "--yes")
    (decision,) = sharing.paths.decisions.iterdir()
    yes = decision.read_bytes()
    older = re.sub(rb'"notice": "[^"]*"', b'"notice": "older"', yes)
    decisions: list[tuple[Decision, bytes | None]] = [
        (Decision.NONE, None),
        (Decision.YES, yes),
        (Decision.NO, yes.replace(b'"yes"', b'"no"')),
        (Decision.OLDER, older),
        (Decision.CORRUPT, yes[:-9]),
        (Decision.UNREADABLE, b""),
    ]
    for kind, content in decisions:
        decision.unlink(missing_ok=True)
        if kind is Decision.UNREADABLE:
            decision.symlink_to("elsewhere")
        elif content is not None:
            decision.write_bytes(content)
        for dnt, own, ci, sudo, off in itertools.product("01", ("", "off", "local"), ("", "true"), "01", (False, True)):
            for name, value in (("DO_NOT_TRACK", dnt), ("MAKE_METRICS", own), ("CI", ci), ("SUDO_UID", sudo)):
                monkeypatch.setenv(name, value)
            (sharing.paths.off_file.touch if off else lambda: sharing.paths.off_file.unlink(missing_ok=True))()
            ruling = decide(Inputs(environ=os.environ, decision=kind, off_file=off, root=not os.geteuid()))
            assert cli.main(["status", "--json"]) == 0
            found = json.loads(capsys.readouterr().out)
            assert (found["mode"], found["rule"]) == (ruling.mode.word, ruling.rule)
            assert found["decision"] == kind.name.lower()


@pytest.mark.skipif(sys.platform == "darwin", reason="names are UTF-8 there")
def test_a_directory_whose_name_is_no_text(sharing: Sharing) -> None:
    odd = os.fsdecode(os.fsencode(sharing.project.folder) + b"\xff")
    shutil.copytree(sharing.project.folder, odd)
    for words in (["status", "-C", ""], ["opt-out", "-C", ""]):
        sharing.cli(*words, status=1)
        assert sharing.said == "make-metrics: -C needs a directory: an empty name is none\n"
    for words in (["status"], ["opt-out"], ["preview"], ["sent"]):
        sharing.cli(*words, "-C", odd)
    sharing.cli("opt-in", "--yes", "-C", odd, status=1)
    assert "is not UTF-8" in sharing.said
