"""The question about crash reports: a question of its own, and only a yes counts."""

from __future__ import annotations

import json
import sys

import pexpect

from make_metrics.consent import consent
from make_metrics.crashes.question import CRASHES
from make_metrics.project.project import project_of
from tests.support.crashing_project import Crashing
from tests.support.project import SOURCE
from tests.support.sharing_project import ended


def test_only_a_yes_counts(offline: Crashing) -> None:
    environ = {**offline.project.environment(), "PYTHONPATH": str(SOURCE)}
    for answer, agreed in (("n", False), ("", False), ("yes please", False), ("\x04", False), ("YES", True)):
        terminal = pexpect.spawn(
            sys.executable, ["-m", "make_metrics", "crash-reports", "on"], cwd=str(offline.project.folder), env=environ,
            encoding="utf-8", timeout=30,
        )  # fmt: skip
        terminal.expect_exact("May they be sent? [y/N] ")
        terminal.send(answer) if answer == "\x04" else terminal.sendline(answer)
        said, status = ended(terminal)
        assert (status, "Thank you" in said) == (0, agreed), answer
        assert offline.status()["decision"] == ("yes" if agreed else "none")
    offline.cli("crash-reports", "off")
    assert offline.status()["decision"] == "no"


def test_without_a_terminal_or_a_dsn_nothing_is_asked(offline: Crashing) -> None:
    offline.cli("crash-reports", "on", status=1)
    assert offline.said.count("\n") == 1
    assert "--yes" in offline.said
    offline.settings(None)
    for action in ("on", "preview"):
        offline.cli("crash-reports", action, "--yes", status=1)
        assert "crash-reports-dsn" in offline.said
    assert offline.status()["sent to"] == "nobody"
    offline.cli("crash-reports", status=1)
    offline.cli("crash-reports", "maybe", status=1)


def test_the_question_is_a_question_of_its_own(offline: Crashing) -> None:
    offline.settings(offline.dsn, '[[sinks]]\ntype = "segment"\nwrite-key = "key"\nhost = "http://127.0.0.1:9"\n')
    offline.cli("opt-in", "--yes")
    assert offline.status()["decision"] == "none"
    offline.cli("crash-reports", "on", "--yes")
    found = json.loads(offline.cli("status", "--json"))
    assert (found["mode"], found["crash_reports"]["mode"]) == ("on", "on")
    offline.cli("crash-reports", "off")
    found = json.loads(offline.cli("status", "--json"))
    assert (found["mode"], found["crash_reports"]["mode"]) == ("on", "local")
    offline.cli("crash-reports", "on", "--yes")
    offline.cli("opt-out")
    found = json.loads(offline.cli("status", "--json"))
    assert (found["mode"], found["crash_reports"]["decision"]) == ("local", "no")


def test_a_damaged_decision_is_off(offline: Crashing) -> None:
    offline.cli("crash-reports", "on", "--yes")
    project = project_of(offline.project.folder)
    place = consent.decision_path(offline.paths, project, CRASHES)
    place.write_bytes(place.read_bytes()[:-20])
    assert offline.status()["mode"] == "off (your recorded decision is damaged)"
    assert place.stat().st_mode & 0o777 == 0o600
    assert place != consent.decision_path(offline.paths, project)
