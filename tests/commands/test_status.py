"""`make-metrics status`: the mode, the rule that decides it, and everything else."""

from __future__ import annotations

import itertools
import json
import os
import re

import pytest

from make_metrics import cli
from make_metrics.consent.mode import Decision, Inputs, decide
from make_metrics.project.settings import NAME
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing


def test_status_names_everything(sharing: Sharing, receiver: Receiver) -> None:
    status = sharing.status()
    assert (status["decision"], status["consent"], status["id"]) == ("none", None, None)
    assert "make-metrics opt-in" in sharing.cli("status")
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    sharing.cli("flush")
    status = sharing.status()
    assert status["consent"]["notice"] == status["notice"]
    assert status["consent"]["sinks"] == [f"segment {receiver.host}"]
    assert [attempt["result"] for attempt in status["attempts"]] == ["accepted"]
    assert status["paths"]["settings"] == str(sharing.project.folder / NAME)
    text = sharing.cli("status")
    for words in ("mode: on", status["id"], "waiting: nothing", "accepted", str(sharing.paths.store)):
        assert words in text


def test_status_works_where_nothing_can_be_written(sharing: Sharing) -> None:
    sharing.paths.state.parent.mkdir(exist_ok=True)
    sharing.paths.state.write_text("in the way")
    status = sharing.status()
    assert status["waiting"] is None
    assert len(status["problems"]) == 1


def test_json_is_the_whole_standard_output(sharing: Sharing) -> None:
    sharing.paths.state.mkdir(parents=True)
    sharing.paths.store.write_bytes(b"no store" * 100)
    assert json.loads(sharing.cli("status", "--json"))["problems"] != []


def test_status_names_the_deciding_rule_in_each_case(
    sharing: Sharing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every decision in every environment; the rule is that of `consent.mode`."""
    monkeypatch.chdir(sharing.project.folder)
    monkeypatch.setattr("make_metrics.commands.status.combine_records", lambda *_, **__: [])
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
            status = json.loads(capsys.readouterr().out)
            assert (status["mode"], status["rule"]) == (ruling.mode.word, ruling.rule)
            assert status["decision"] == kind.name.lower()
