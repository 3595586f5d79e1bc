"""Sinks of other packages: built, installed, and used by real make and the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT, SOURCE, Project
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import TEXT, Sharing

METADATA = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "acme-sink"
version = "1.0"

[project.entry-points."make_metrics.sinks"]
acme = "acme_sink:KIND"
acme-heavy = "acme_sink:HEAVY"
acme-broken = "acme_sink.missing:KIND"
acme-raising = "acme_sink:RAISING"
acme-showing = "acme_sink:SHOWING"
acme-old = "acme_sink:VERSION"
segment = "acme_sink:KIND"

[tool.hatch.build.targets.wheel]
include = ["acme_sink.py"]
"""
EXAMPLE = (ROOT / "docs" / "sinks.md").read_text().split("```python\n")[1].split("```")[0]
MORE = """

class Raising(AcmeSink):
    def send(self, batch, *, timeout_s):
        raise ValueError("a mistake")


VERSION = 1
SHOWING = Kind(make=AcmeSink, shown=lambda url, body: "ACME " + body.decode())
HEAVY = Kind(make=AcmeSink, needs="acme_library", install="pip install 'acme-sink[heavy]'")
RAISING = Kind(make=Raising)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory into which the package was installed."""
    folder = tmp_path_factory.mktemp("acme")
    source, target = folder / "source", folder / "target"
    source.mkdir()
    (source / "pyproject.toml").write_text(METADATA)
    (source / "acme_sink.py").write_text(EXAMPLE + MORE)
    options = ["--no-deps", "--no-index", "--no-build-isolation", "--no-compile", "--disable-pip-version-check"]
    command: list[str | Path] = [sys.executable, "-m", "pip", "install", *options, "--target", target, source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return target


@pytest.fixture
def sharing(tmp_path: Path, home: Path, receiver: Receiver) -> Sharing:
    return Sharing(Project(tmp_path / "project", home), receiver)


def configure(sharing: Sharing, kind: str, more: str = "") -> None:
    text = f'{TEXT}\n[[sinks]]\ntype = "{kind}"\nhost = "{sharing.receiver.host}"\n{more}\n'
    (sharing.project.folder / "make-metrics.toml").write_text(text)


def test_a_message_arrives_by_a_sink_of_another_package(sharing: Sharing, installed: Path) -> None:
    there = {"PYTHONPATH": f"{SOURCE}:{installed}"}
    configure(sharing, "acme", 'region = "eu"')
    assert f"{sharing.receiver.host} (acme, region eu)" in sharing.cli("opt-in", "--yes", environ=there)
    sharing.make("a")
    # Where the package is not, nothing is sent, and nothing is lost.
    status = sharing.status()
    assert status["mode"] == "on"
    assert 'no sink "acme" is installed: install the package that brings it' in status["problems"][0]
    assert 'no sink "acme" is installed' in sharing.cli("doctor", status=1)
    sharing.cli("preview")
    assert 'no sink "acme" is installed' in sharing.errors
    sharing.make("b")
    assert sharing.cli("flush", status=1) == "nothing sent\n"
    assert "3 events wait" in sharing.errors
    assert sharing.receiver.requests == []
    sharing.receiver.answers(500)
    assert sharing.cli("flush", status=1, environ=there) == "nothing sent\n"
    assert "the receiver answered 500: 3 events wait" in sharing.errors
    sharing.receiver.requests.clear()
    # Where it is, everything goes.
    assert "POST " in sharing.cli("preview", environ=there)
    assert sharing.cli("flush", environ=there) == "3 events sent\n"
    assert {request.path for request in sharing.receiver.requests} == {"/eu"}
    commands = {request.document["properties"]["command"] for request in sharing.receiver.requests}
    assert commands == {"metrics-opt-in", "a", "b"}
    assert sharing.cli("sent").count('\n{"type": "track"') == 3
    # Another address, or anything else that its table says, pauses it.
    configure(sharing, "acme", 'region = "us"')
    assert sharing.mode(**there) == ("local", "decision")


def test_a_sink_that_raises_delays_only_its_own_events(sharing: Sharing, installed: Path) -> None:
    there = {"PYTHONPATH": f"{SOURCE}:{installed}"}
    path = sharing.project.folder / "make-metrics.toml"
    sinks = [
        f'[[sinks]]\ntype = "{name}"\nhost = "{sharing.receiver.host}"\n' for name in ("acme-raising", "acme-showing")
    ]
    path.write_text(f"{TEXT}\n{''.join(sinks)}")
    sharing.cli("opt-in", "--yes", environ=there)
    assert sharing.cli("flush", status=1, environ=there) == "1 event sent\n"
    assert 'sink "acme-raising" is broken: ValueError: a mistake: 1 event waits' in sharing.errors
    assert "\nACME {" in sharing.cli("sent", environ=there)


@pytest.mark.parametrize(
    ("kind", "more", "problem"),
    [
        ("acme", 'region = "europe"', "sinks[0].region: must be two letters"),
        ("acme", "speed = 3", "sinks[0].speed: unknown key"),
        ("acme-heavy", "", """sink "acme-heavy" lacks a library: pip install 'acme-sink[heavy]'"""),
        ("acme-broken", "", 'the package of sink "acme-broken" is broken: ModuleNotFoundError'),
        ("acme-old", "", 'the package of sink "acme-old" is for another version of make-metrics'),
        ("segment", "", "sinks[0].write-key: must be the sink's public key"),  # a name of ours is nobody else's
    ],
)
def test_problems_of_a_kind_are_reported_and_make_goes_on(
    sharing: Sharing, installed: Path, kind: str, more: str, problem: str
) -> None:
    there = {"PYTHONPATH": f"{SOURCE}:{installed}"}
    configure(sharing, kind, more)
    assert problem in sharing.status(**there)["problems"][0]
    assert problem in sharing.cli("doctor", status=1, environ=there)
    sharing.make("a")
