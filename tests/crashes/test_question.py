"""The question about crash reports: it is asked separately, and only a yes counts."""

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
        terminal.expect_exact("May they be sent? [y/N/d] ")
        terminal.send(answer) if answer == "\x04" else terminal.sendline(answer)
        output, status = ended(terminal)
        assert (status, "Thank you" in output) == (0, agreed), answer
        assert offline.status()["decision"] == ("yes" if agreed else "none")
    offline.cli("crash-reports", "off")
    assert offline.status()["decision"] == "no"


def test_without_a_terminal_or_a_dsn_there_is_no_question(offline: Crashing) -> None:
    offline.cli("crash-reports", "on", status=1)
    assert offline.errors.count("\n") == 1
    assert "--yes" in offline.errors
    offline.settings(None)
    for action in ("on", "preview"):
        offline.cli("crash-reports", action, "--yes", status=1)
        assert "crash-reports-dsn" in offline.errors
    assert offline.status()["sent to"] == "nobody"
    offline.cli("crash-reports", status=2)
    offline.cli("crash-reports", "maybe", status=2)


def test_crash_reports_need_a_yes_of_their_own(offline: Crashing) -> None:
    offline.settings(offline.dsn, '[[sinks]]\ntype = "segment"\nwrite-key = "key"\nhost = "http://127.0.0.1:9"\n')
    offline.cli("opt-in", "--yes")
    assert offline.status()["decision"] == "none"
    offline.cli("crash-reports", "on", "--yes")
    status = json.loads(offline.cli("status", "--json"))
    assert (status["mode"], status["crash_reports"]["mode"]) == ("on", "on")
    offline.cli("crash-reports", "off")
    status = json.loads(offline.cli("status", "--json"))
    assert (status["mode"], status["crash_reports"]["mode"]) == ("on", "local")
    offline.cli("crash-reports", "on", "--yes")
    offline.cli("opt-out")
    status = json.loads(offline.cli("status", "--json"))
    assert (status["mode"], status["crash_reports"]["decision"]) == ("local", "no")


def test_a_damaged_decision_ends_crash_reports(offline: Crashing) -> None:
    offline.cli("crash-reports", "on", "--yes")
    project = project_of(offline.project.folder)
    path = consent.decision_path(offline.paths, project, CRASHES)
    path.write_bytes(path.read_bytes()[:-20])
    assert offline.status()["mode"] == "off (your recorded decision is damaged)"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path != consent.decision_path(offline.paths, project)
