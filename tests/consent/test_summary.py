"""What is shown first before a yes: eight lines, and all of it on demand."""

from __future__ import annotations

import pexpect
import pytest

from make_metrics.consent.summary import KINDS
from make_metrics.properties.registry import CHOICE, ENVELOPE, PROPERTIES
from make_metrics.report.wrapped import wrap
from tests.support.sharing_project import Sharing, ended
from tests.support.terminal import spawned


def asked(sharing: Sharing, *words: str, columns: int = 80, rows: int = 24) -> tuple[list[str], pexpect.spawn[str]]:
    """The lines of a command before its question, in a terminal of this size."""
    terminal = spawned(sharing, *(words or ("opt-in",)), columns=columns, rows=rows)
    terminal.expect_exact(" [y/N/d] ")
    return str(terminal.before).splitlines(), terminal


def test_the_summary_knows_every_property() -> None:
    names = {entry.name for entry in (*PROPERTIES, *CHOICE, *ENVELOPE)}
    listed = [name for kind in KINDS.values() for name in kind]
    assert sorted(listed) == sorted(names)


def test_eight_lines_and_then_the_question(sharing: Sharing) -> None:
    sharing.settings('retention = "90 days"\ncontact = "metrics@example.org"\nmetrics = ["os", "jobs"]\n')
    lines, terminal = asked(sharing)
    terminal.close()
    assert len(lines) == 11  # eight, an empty line, the hint, and the question
    assert lines[8:] == ["", "Nothing is sent without your yes. d shows all details.", "May it be sent?"]
    assert max(map(len, lines)) < 80
    text = "\n".join(lines)
    for words in ("Example would like", "The example team (metrics@example.org)", "to make builds faster", "os, jobs",
                  sharing.receiver.host, "90 days", "make-metrics opt-out"):  # fmt: skip
        assert words in text


@pytest.mark.parametrize("columns", [40, 80, 132])
def test_d_shows_the_whole_notice_in_pages(sharing: Sharing, columns: int) -> None:
    notice = sharing.cli("opt-in", "--yes")
    notice = notice[: notice.index("Thank you")]
    sharing.cli("opt-out")
    sharing.cli("off")  # nothing of the first yes counts
    sharing.cli("on")
    _, terminal = asked(sharing, columns=columns, rows=20)
    terminal.sendline("d")
    shown: list[str] = []
    while terminal.expect_exact(["(Enter goes on, q goes back to the question) ", " [y/N/d] "]) == 0:
        page = str(terminal.before).split("\r\n")
        assert len(page) <= 21
        shown += page[1:-1]
        terminal.sendline("")
    shown += str(terminal.before).split("\r\n")[1:-3]
    assert shown == wrap(notice, columns)
    assert "never" in notice.lower()
    terminal.sendline("y")
    assert "Thank you." in ended(terminal)[0]
    assert sharing.mode()[0] == "on"


def test_q_goes_back_to_the_question_and_is_no_yes(sharing: Sharing) -> None:
    _, terminal = asked(sharing, rows=10)
    terminal.sendline("D")
    terminal.expect_exact("(Enter goes on, q goes back to the question) ")
    terminal.sendline("q")
    terminal.expect_exact(" [y/N/d] ")
    terminal.sendline("")
    assert "Nothing was changed" in ended(terminal)[0]
    assert sharing.mode()[0] == "local"


def test_the_end_of_input_within_the_pages_is_no_yes(sharing: Sharing) -> None:
    _, terminal = asked(sharing, rows=10)
    terminal.sendline("d")
    terminal.expect_exact("(Enter goes on, q goes back to the question) ")
    terminal.sendeof()
    terminal.close()
    assert sharing.mode()[0] == "local"


def test_crash_reports_have_eight_lines_too(sharing: Sharing) -> None:
    sharing.settings('crash-reports-dsn = "https://abc@crashes.example.org/42"\n')
    lines, terminal = asked(sharing, "crash-reports", "on", rows=200)
    assert len(lines) == 11
    assert max(map(len, lines)) < 80
    terminal.sendline("d")
    terminal.expect_exact("Never sent")
    terminal.close()
