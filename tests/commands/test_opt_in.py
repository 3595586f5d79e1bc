"""`make-metrics opt-in`: it shows the notice, and only a yes counts."""

from __future__ import annotations

import subprocess
import sys

import pytest

from make_metrics.project.settings import NAME
from tests.support.project import SOURCE, answering
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing, ended


@pytest.mark.parametrize("text", ["yes", "Y", " YES "])
def test_a_yes_may_be_written_in_several_ways(sharing: Sharing, text: str) -> None:
    sharing.answer(text)
    assert sharing.mode()[0] == "on"


def test_a_yes_without_enter_does_not_count(sharing: Sharing) -> None:
    terminal = sharing.asked()
    terminal.send("y")
    terminal.sendeof()  # hands over the line as it is
    terminal.sendeof()
    assert "nothing is sent" in ended(terminal)[0]
    assert sharing.mode() == ("local", "default")


@pytest.mark.parametrize("text", ["", "n", "no", "ye", "yess", "y y", "1", "j", "true", "\x1b[A"])
def test_any_other_answer_changes_nothing(sharing: Sharing, text: str) -> None:
    before = sharing.files()
    output, status = sharing.answer(text)
    assert status == 0
    assert "Nothing was changed" in output
    assert sharing.files() == before


def test_end_of_file_changes_nothing(sharing: Sharing) -> None:
    before = sharing.files()
    terminal = sharing.asked()
    terminal.sendeof()
    output, status = ended(terminal)
    assert (status, "Nothing was changed" in output) == (0, True)
    assert sharing.files() == before


def test_a_no_without_enter_changes_nothing(sharing: Sharing) -> None:
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
    output, status = ended(terminal)
    assert status == 130
    assert "Traceback" not in output
    assert sharing.files() == before


def test_without_a_terminal_there_is_no_question(sharing: Sharing) -> None:
    before = sharing.files()
    assert sharing.cli("opt-in", status=1) == ""
    assert sharing.errors.count("\n") == 1
    assert "--yes" in sharing.errors
    assert sharing.files() == before
    sharing.cli("opt-in", "--yes")
    assert sharing.mode()[0] == "on"
    assert sharing.cli("opt-in") == "You have already said yes.\n"


def test_a_yes_does_not_hold_for_settings_that_changed_during_the_question(sharing: Sharing) -> None:
    terminal = sharing.asked()
    sharing.settings(hosts=["https://elsewhere.example.org"])
    terminal.sendline("y")
    output, status = ended(terminal)
    assert status == 1
    assert "has changed meanwhile" in output
    assert not sharing.paths.config.exists()


def test_the_notice_names_purpose_receiver_and_properties(sharing: Sharing, receiver: Receiver) -> None:
    output = sharing.cli("opt-in", "--yes")
    for words in ("The example team", "to make builds faster", receiver.host, "git_commit_time", "anonymousId"):
        assert words in output


def test_without_settings_the_answer_is_one_line(sharing: Sharing) -> None:
    (sharing.project.folder / NAME).unlink()
    for words in (["opt-in", "--yes"], ["preview"]):
        assert sharing.cli(*words, status=1) == ""
        assert sharing.errors.count("\n") == 1
    assert sharing.cli("status", "-C", "nowhere", status=1) == ""
    (sharing.project.folder / NAME).write_text("sinks = 3\nconsent = true\n")
    assert [problem.split(": ")[1] for problem in sharing.status()["problems"]] == ["consent", "sinks"]
    sharing.make()  # and the build does not care


def test_thirty_opt_ins_at_once_make_one_id(sharing: Sharing) -> None:
    words = [sys.executable, "-m", "make_metrics", "opt-in", "--yes"]
    env = {**sharing.project.environment(), "PYTHONPATH": str(SOURCE), **answering(words)}
    running = [
        subprocess.Popen(words, cwd=sharing.project.folder, env=env, stdout=subprocess.DEVNULL) for _ in range(30)
    ]
    assert [process.wait(100) for process in running] == [0] * 30
    (identity,) = sharing.paths.identities.iterdir()
    assert sharing.status()["id"] == identity.read_text().strip()
    assert sharing.status()["waiting"]["events"] == 1  # one yes


@pytest.mark.parametrize(("kind", "says"), [("segmnt", "did you mean segment?"), ("acme", "no sink")])
def test_nobody_is_thanked_for_a_sink_that_is_not_there(sharing: Sharing, kind: str, says: str) -> None:
    path = sharing.settings()
    path.write_text(path.read_text().replace('"segment"', f'"{kind}"'))
    output = sharing.cli("opt-in", "--yes")
    assert "Thank you" not in output
    assert "Your yes is recorded.\nBut nothing can be sent: " in output
    assert says in output.splitlines()[-1]
    assert "But nothing can be sent: " in sharing.cli("opt-in")
