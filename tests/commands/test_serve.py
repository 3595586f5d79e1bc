"""`make-metrics serve`: what it prints, and that a project sends to it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from make_metrics.files.paths import Paths
from make_metrics.project import settings
from tests.support.sharing_project import TEXT, Sharing
from tests.support.team_receiver import Served, request, served, sqlite_url


def test_it_prints_all_that_is_needed_and_our_sender_sends_to_it(sharing: Sharing, tmp_path: Path) -> None:
    with served(sqlite_url(tmp_path)) as receiver:
        assert 'purpose and\nretention = "365 days", after' in receiver.said
        table = receiver.said.partition("[[sinks]]")
        (sharing.project.folder / settings.NAME).write_text(TEXT + table[1] + table[2])
        assert sharing.cli("check")
        sharing.cli("opt-in", "--yes")
        sharing.make("all")
        assert "sent" in sharing.cli("flush")
        assert request(receiver.port, "GET", "/healthz").status == 200
        assert receiver.end() == ""
    done = sharing.cli("server", "export", "team", "--database", sqlite_url(tmp_path))
    sent = [json.loads(line)["properties"] for line in done.splitlines()]
    assert {"all", "a", "metrics-opt-in"} <= {properties.get("command") for properties in sent}
    assert sharing.status()["waiting"]["events"] == 0


def test_it_says_what_is_not_safe_and_shows_the_token_once(tmp_path: Path) -> None:
    words = ("--host", "0.0.0.0", "--url", "https://metrics.example.org/")  # noqa: S104
    receiver = Served(sqlite_url(tmp_path), *words)
    receiver.process.kill()
    receiver.process.communicate()
    assert 'host = "https://metrics.example.org"' in receiver.said
    assert "can be reached from other machines, without encryption" in receiver.said
    with served(sqlite_url(tmp_path)) as again:
        assert "mmv_" not in again.said
        assert "make-metrics server token add" in again.said


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "make_metrics", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", [["serve"], ["server", "project", "list"]])
def test_without_its_packages_it_says_in_one_line_what_to_install(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import importlib.util

    from make_metrics.cli import main

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert main(command) == 1
    said = capsys.readouterr().err
    assert "pip install 'make-metrics[server]'" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--database", "x"], "--database must be"),
        (["--port", "70000"], "cannot listen on 127.0.0.1 port 70000"),
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1"),
        (["--user-header", "X-User"], "--user-header needs --proxy"),
    ],
)
def test_mistakes_get_one_line(words: list[str], said: str) -> None:
    done = run("serve", *words)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert said in done.stderr


def test_its_own_database_is_private_and_stays_when_all_else_goes(home: Path) -> None:
    done = run("server", "project", "add", "a")
    assert done.returncode == 0, done.stderr
    path = Paths.from_environment().server_database
    assert path.is_relative_to(home)
    assert path.parent.stat().st_mode & 0o077 == 0
    run("uninstall", "--data", "--decisions", "--yes")
    assert path.exists()
