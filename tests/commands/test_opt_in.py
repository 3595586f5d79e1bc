"""`make-metrics opt-in`: only a yes counts, and whoever gives it has seen the notice."""

from __future__ import annotations

import subprocess
import sys

import pytest

from make_metrics.project.settings import NAME
from tests.support.project import SOURCE
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing, ended


@pytest.mark.parametrize("text", ["yes", "Y", " YES "])
def test_a_yes_may_be_written_so(sharing: Sharing, text: str) -> None:
    sharing.answer(text)
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
    said, status = sharing.answer(text)
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
    assert sharing.cli("opt-in") == "You have already said yes.\n"


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
