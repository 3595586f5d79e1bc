"""An administrator's policy only lowers what happens on a machine, for whoever uses it, and whatever they set."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from make_metrics.consent import policy
from make_metrics.setup import fragment
from tests.support.policy import under_policy
from tests.support.project import SOURCE, Project, makes, markers, until
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import Sharing

PATH = "/etc/make-metrics/policy.toml"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs mount namespaces")


class Machine:
    """A machine with a policy, and a project with a yes on it."""

    def __init__(self, sharing: Sharing, folder: Path) -> None:
        self.sharing, self.project, self.file = sharing, sharing.project, folder / "policy.toml"
        sharing.cli("opt-in", "--yes")

    def run(self, *words: str, status: int = 0, environ: Mapping[str, str] | None = None) -> str:
        env = {**self.project.environment(**(environ or {})), "PYTHONPATH": str(SOURCE)}
        done = self.project.run(under_policy(self.file if os.path.lexists(self.file) else None, *words), env=env)
        assert (done.returncode, "Traceback" in done.stderr) == (status, False), done.stderr
        return done.stdout

    def cli(self, *words: str, status: int = 0, environ: Mapping[str, str] | None = None) -> str:
        return self.run(sys.executable, "-m", "make_metrics", *words, status=status, environ=environ)

    def status(self, **environ: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.cli("status", "--json", environ=environ))
        return document

    def make(self, **environ: str) -> None:
        self.run(self.project.make_path, "a", environ=environ)
        until(lambda: any(path.stat().st_size for path in markers(self.project.paths.makes)))


@pytest.fixture(params=["compiled", "python"])
def machine(request: pytest.FixtureRequest, tmp_path: Path, home: Path, receiver: Receiver) -> Machine:
    if request.param == "compiled" and not fragment.launcher():
        pytest.skip("no compiled fast path here")
    compiled = request.param == "compiled"
    project = Project(tmp_path / "project", home, next(iter(makes().values())), compiled=compiled)
    return Machine(Sharing(project, receiver), tmp_path)


def test_without_a_policy_events_are_sent(machine: Machine) -> None:
    machine.make()
    machine.cli("flush")
    assert machine.sharing.receiver.commands == ["a"]
    status = machine.status()
    assert (status["mode"], status["rule"], status["paths"]["policy"]) == ("on", "decision", "")


def test_off_records_nothing(machine: Machine) -> None:
    machine.file.write_text('most = "off"\n')
    machine.make(MAKE_METRICS="on")
    assert machine.project.records() == []
    status = machine.status()
    assert (status["mode"], status["rule"]) == ("off", "policy")
    assert status["reason"] == f"the administrator turned recording off ({PATH})"
    assert status["crash_reports"]["mode"] == "off"
    assert status["paths"]["policy"] == PATH
    assert f"mode: off (the administrator turned recording off ({PATH}))" in machine.cli("status")


LOWERED = {
    'most = "local"': f"the administrator lets nothing leave this machine ({PATH})",
    'hosts = ["collector.example.org"]': "the administrator does not allow sending to http://127.0.0.1:",
    "hosts = []": "the administrator does not allow sending to http://127.0.0.1:",
    'most = "lokal"': f"the administrator's policy has a fault: {PATH}: most: must be",
    'mots = "off"': f"the administrator's policy has a fault: {PATH}: mots: unknown key",
    "most = off": f"the administrator's policy has a fault: {PATH}: is not TOML",
    'hosts = "x"': f"the administrator's policy has a fault: {PATH}: hosts: must be",
    'most = "on"\nhosts = [3]': f"the administrator's policy has a fault: {PATH}: hosts: must be",
    "#" * 70_000: f"the administrator's policy has a fault: {PATH}: is larger than",
}


@pytest.mark.one_in(2)
@pytest.mark.parametrize("text", LOWERED, ids=lambda text: text[:24])
def test_nothing_leaves_a_machine_whose_policy_says_so_or_is_broken(machine: Machine, text: str) -> None:
    machine.file.write_text(f"{text}\n")
    machine.make(MAKE_METRICS_SENDER="detached", MAKE_METRICS="on")
    assert len(machine.project.records()) == 1
    status = machine.status(MAKE_METRICS="on")
    assert (status["mode"], status["rule"]) == ("local", "policy")
    assert status["reason"].startswith(LOWERED[text])
    assert any(PATH in problem for problem in status["problems"]) == ("has a fault" in LOWERED[text])
    machine.cli("flush", status=1)  # the yes itself waits
    assert machine.sharing.receiver.accepted == []
    assert '"command": "a"' in machine.cli("events")


def test_what_was_recorded_under_a_policy_stays_here_when_it_is_gone(machine: Machine) -> None:
    machine.file.write_text('most = "local"\n')
    machine.make()
    machine.file.unlink()
    machine.cli("flush")
    assert machine.sharing.receiver.commands == []
    machine.make()
    machine.cli("flush")
    assert machine.sharing.receiver.commands == ["a"]


def test_an_allowed_host_is_sent_to(machine: Machine) -> None:
    machine.file.write_text('most = "on"\nhosts = ["127.0.0.1", "*.example.org"]\n')
    machine.make()
    machine.cli("flush")
    assert machine.sharing.receiver.commands == ["a"]
    assert machine.status()["rule"] == "decision"


@pytest.mark.parametrize("kind", ["pipe", "folder", "link to nowhere", "link", "no folder"])
def test_a_policy_that_is_no_file_allows_no_more_than_local(machine: Machine, kind: str) -> None:
    if kind == "pipe":
        os.mkfifo(machine.file)
    elif kind == "folder":
        machine.file.mkdir()
    elif kind == "no folder":
        machine.file = machine.file.with_name("make-metrics")
        machine.file.write_text('most = "off"\n')
    else:
        elsewhere = machine.file.with_name("elsewhere")
        elsewhere.write_text("no policy\n")
        machine.file.symlink_to("/nowhere" if kind == "link to nowhere" else elsewhere)
    assert machine.status()["rule"] == "policy"


def test_no_variable_moves_the_policy() -> None:
    source = Path(policy.__file__).read_text()
    assert "environ" not in source.replace("No variable of the environment moves it", "")


def test_hosts_are_names_or_whole_domains() -> None:
    limited = policy.Policy("on", ("collector.example.org", "*.corp.example"), ())
    for address in (
        "https://collector.example.org/v1/traces",
        "https://COLLECTOR.example.org:4318",
        "https://a.corp.example",
    ):
        assert limited.limit([f"otlp {address}"]) == ("on", "")
    for receiver in ("otlp https://collector.example.org.evil.example", "otlp https://corp.example", "otlp https://xcorp.example",
                     "otlp https://evil.example/collector.example.org", "plug-in", "otlp https://[::1"):  # fmt: skip
        assert limited.limit([receiver])[0] == "local"
    assert limited.limit(["file events.jsonl"]) == ("on", "")
