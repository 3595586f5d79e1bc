"""Whether a make gets a sender: what is decided in passing, in the words of those who decide it at length."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from make_metrics.consent import consent, gate
from make_metrics.files.paths import Paths
from make_metrics.processes.keys import process_key
from make_metrics.processes.wait import wait_for_end
from make_metrics.project import settings
from make_metrics.project.project import project_of
from make_metrics.project.root import find_root
from make_metrics.sender import reaper
from make_metrics.sender.start import yes_on_file
from tests.support.project import ROOT, SOURCE, until

# The walk may load none of these itself; psutil does load some.
SLOW = {"dataclasses", "typing", "pathlib", "json", "enum", "subprocess", "sqlite3", "filelock", "requests"}


def loaded(*names: str) -> set[str]:
    """What a fresh interpreter loads for modules, beyond psutil and what it starts with."""
    code = "import json, psutil, sys; before = set(sys.modules)\n" + "".join(f"import {name}\n" for name in names)
    code = code.replace("import json, ", "import ") + "now = set(sys.modules) - before\nimport json\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}print(json.dumps(sorted(now)))"], cwd=ROOT, capture_output=True, check=True
    )
    return set(json.loads(done.stdout))


def test_the_walk_loads_nothing_slow_before_the_first_line_goes_on() -> None:
    assert not loaded("make_metrics.walk.walk") & SLOW


def test_the_sender_waits_with_little() -> None:
    assert not loaded("make_metrics.sender.sender") & SLOW


@pytest.mark.parametrize("environ", [{}, {"XDG_CONFIG_HOME": "/x/y"}, {"MAKE_METRICS_HOME": "/m"}], ids=str)
def test_a_decision_is_where_the_rest_keeps_it(tmp_path: Path, environ: dict[str, str]) -> None:
    code = "from pathlib import Path; from make_metrics.consent import consent\n"
    code += "from make_metrics.files.paths import Paths; from make_metrics.project.project import project_of\n"
    code += "print(consent.decision_path(Paths.from_environment(), project_of(Path('/'))))"
    given = {"HOME": str(tmp_path), **environ}
    cold = subprocess.run([sys.executable, "-c", code], env={**given, "PYTHONPATH": str(SOURCE)}, capture_output=True,
                          text=True, check=True)  # fmt: skip
    assert gate.decision_path(find_root("/"), given) == cold.stdout.strip()


@pytest.mark.parametrize("root", ["", "a", "a/b"])
@pytest.mark.parametrize("files", [[""], ["a"], ["", "a/b"], []], ids=str)
@pytest.mark.parametrize("repository", [True, False])
def test_a_project_is_the_one_that_its_settings_file_makes(
    tmp_path: Path, root: str, files: list[str], repository: bool
) -> None:
    (tmp_path / "a/b/c").mkdir(parents=True)
    if repository:
        (tmp_path / root / ".git").mkdir()
    for folder in files:
        (tmp_path / folder / settings.NAME).write_text("name = 'n'\n")
    for folder in ("", "a", "a/b", "a/b/c"):
        found = project_of(tmp_path / folder)
        assert find_root(str(tmp_path / folder)) == (str(found.directory), bool(found.settings))


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is no container, with a first process that waits for others."""
    monkeypatch.setattr(reaper, "_MARKS", (str(tmp_path / "mark"),))
    if sys.platform == "linux":
        monkeypatch.setattr(reaper, "_REAPERS", frozenset({psutil.Process(1).name()}))


@pytest.mark.usefixtures("bare")
def test_nothing_is_in_the_way() -> None:
    assert reaper.obstacle({}) == ""
    assert reaper.obstacle({"MAKE_METRICS_SENDER": "", "CI": "false"}) == ""


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"CI": "true"}, "this is CI"),
        ({"CI": "true", "MAKE_METRICS_SENDER": "detached"}, "this is CI"),
        ({"MAKE_METRICS_SENDER": "none"}, "MAKE_METRICS_SENDER is 'none' in the environment"),
        ({"MAKE_METRICS_SENDER": "yes"}, "MAKE_METRICS_SENDER is 'yes' in the environment"),
        ({"container": "podman"}, "this is a container (the variable container)"),
    ],
    ids=str,
)
def test_what_is_in_the_way(environ: dict[str, str], reason: str) -> None:
    assert reaper.obstacle(environ) == reason


@pytest.mark.usefixtures("bare")
def test_a_container(tmp_path: Path) -> None:
    (tmp_path / "mark").touch()
    assert reaper.obstacle({}) == f"this is a container ({tmp_path / 'mark'})"
    assert reaper.obstacle({"MAKE_METRICS_SENDER": "detached"}) == ""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is the system's own")
@pytest.mark.usefixtures("bare")
def test_a_first_process_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaper, "_REAPERS", frozenset())
    assert reaper.obstacle({}).startswith("process 1 is ")
    assert reaper.obstacle({"MAKE_METRICS_SENDER": "detached"}) == ""


class TestWait:
    """Waiting for the end of one process, not of another with its number."""

    @pytest.fixture(params=["watched", "asked"], autouse=True)
    def way(self, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
        if request.param == "asked":
            monkeypatch.delattr(os, "pidfd_open", raising=False)
        elif not hasattr(os, "pidfd_open"):
            pytest.skip("not on this system")

    def test_until_it_has_ended_though_nobody_has_waited_for_it_yet(self) -> None:
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as running:
            key = process_key(running.pid)
            assert key is not None
            waiting = threading.Thread(target=wait_for_end, args=(key,), daemon=True)
            waiting.start()
            assert waiting.is_alive()
            assert running.stdin is not None
            running.stdin.close()
            until(lambda: psutil.Process(running.pid).status() == psutil.STATUS_ZOMBIE)
            waiting.join(20)
            assert not waiting.is_alive()

    def test_not_for_another_that_has_its_number(self) -> None:
        key = process_key(os.getpid())
        assert key is not None
        wait_for_end(f"{key}0")
        wait_for_end("no key")

    def test_not_for_one_that_is_gone(self) -> None:
        with subprocess.Popen(["true"]) as running:
            key = process_key(running.pid)
            assert key is not None
        wait_for_end(key)


def test_a_yes_is_seen(tmp_path: Path) -> None:
    (tmp_path / settings.NAME).write_text(
        'name = "n"\ncollected-by = "c"\npurpose = "p"\n[[sinks]]\ntype = "segment"\nwrite-key = "k"\n'
    )
    project, paths = project_of(tmp_path), Paths.from_environment()
    state, environ = str(paths.state), dict(os.environ)
    assert not yes_on_file(find_root(str(tmp_path)), environ, state)
    for yes in (True, False):
        with consent.lock(paths):
            consent.write_decision(paths, project, yes=yes, now_ns=1)
        assert yes_on_file(find_root(str(tmp_path)), environ, state) is yes


def test_a_yes_that_was_taken_back_is_none(tmp_path: Path) -> None:
    (tmp_path / settings.NAME).write_text(
        'name = "n"\ncollected-by = "c"\npurpose = "p"\n[[sinks]]\ntype = "segment"\nwrite-key = "k"\n'
    )
    project, paths = project_of(tmp_path), Paths.from_environment()
    with consent.lock(paths):
        consent.write_decision(paths, project, yes=True, now_ns=1)
    assert yes_on_file(find_root(str(tmp_path)), dict(os.environ), str(paths.state))
    with consent.lock(paths):
        consent.write_on_this_machine(paths, now_ns=2)
    assert not yes_on_file(find_root(str(tmp_path)), dict(os.environ), str(paths.state))
