"""The base class of metrics, what a declaration may say, and the built-in ones."""

from __future__ import annotations

import re
import subprocess
import time
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from make_metrics import environment
from make_metrics.deliver.message import message
from make_metrics.metrics import Metric, RunFacts, TargetFacts, worker
from make_metrics.properties import metric
from make_metrics.properties.git import Dirty
from make_metrics.properties.machine import Architecture, System, SystemVersion
from make_metrics.properties.property import Property, fault
from make_metrics.properties.registry import ASKED_FOR, BUILT_IN, OPTIONAL, PROPERTIES, check
from tests.support.events import EVENT, ID, message_with
from tests.support.git_repository import commit
from tests.support.project import ROOT

RUN = RunFacts(make_version="4.3", jobs=4, ci="none", ended_ns=time.time_ns())
GOOD: dict[str, Any] = {
    "identifier": "one", "kind": "integer", "values": "a count", "purpose": "to count", "example": 1, "scope": "run",
    "most": 5, "value": lambda *_: 1,
}  # fmt: skip


@pytest.fixture(autouse=True)
def registers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registers of the test's own, which begin with what is built in."""
    monkeypatch.setattr(metric, "REGISTERED", dict(metric.REGISTERED))
    monkeypatch.setattr(metric, "REFUSED", {})


def defined(**more: Any) -> str:
    """What comes of a subclass: empty if it is registered, else why not."""
    body = {name: value for name, value in {**GOOD, **more}.items() if value is not None}
    made = type("Made", (Metric,), body)
    reason = metric.REFUSED.pop(f"{made.__module__}.Made", "")
    assert (made in metric.REGISTERED.values()) == (not reason)
    return reason


def test_defining_a_metric_registers_it() -> None:
    assert defined() == ""
    assert metric.REGISTERED["one"].declaration().name == "one"
    assert defined(identifier="two", kind="string", choices=("a", "b"), example="a") == ""
    assert defined(identifier="three", kind="boolean", example=True) == ""


def test_a_base_of_others_is_no_metric() -> None:
    class Base(Metric):
        kind = "integer"

    assert Base not in metric.REGISTERED.values()
    assert metric.REFUSED == {}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"identifier": "Big"}, "small letters"),
        ({"identifier": ""}, "identifier"),
        ({"identifier": 5}, "identifier"),
        ({"identifier": "command"}, "taken"),
        ({"identifier": "choice"}, "taken"),
        ({"identifier": "os"}, "taken"),
        ({"kind": "float"}, "kind must be one of"),
        ({"kind": None}, "kind missing"),
        ({"scope": None, "purpose": None}, "purpose, scope missing"),
        ({"scope": "make"}, "scope must be one of"),
        ({"scope": []}, "scope must be one of"),
        ({"values": "two\nlines"}, "one line"),
        ({"purpose": "\x1b[31m"}, "one line"),
        ({"example": 9}, "example"),
        ({"least": 6}, "least"),
        ({"most": 2**60}, "2**53"),
        ({"most": "5"}, "whole numbers"),
        ({"kind": "string", "example": "a"}, "either choices"),
        ({"kind": "string", "example": "a", "choices": ("a",), "pattern": "a"}, "either choices"),
        ({"kind": "string", "example": "a", "choices": ("a", 5)}, "choices must be"),
        ({"kind": "string", "example": "a", "pattern": "(a+)+"}, "plain"),
        ({"kind": "string", "example": "a", "pattern": r"\w"}, "plain"),
        ({"kind": "string", "example": "a", "pattern": "a*a*a*a*a*"}, "plain"),
        ({"kind": "string", "example": "a", "pattern": "[a"}, "pattern"),
        ({"kind": "string", "example": "b", "pattern": "a"}, "example"),
        ({"value": None}, "value is not implemented"),
    ],
)  # fmt: skip
def test_a_bad_declaration_is_refused_and_costs_itself_only(more: dict[str, Any], why: str) -> None:
    assert why in defined(**more)
    assert defined() == ""


def test_a_name_is_given_once() -> None:
    assert defined() == ""
    assert "taken" in defined()


TEXTS = [entry for entry in (*PROPERTIES, *OPTIONAL) if entry.kind == "string"]


@given(st.sampled_from(TEXTS), st.data())
def test_what_is_allowed_is_what_the_schema_says(entry: Property, data: st.DataObject) -> None:
    likely = st.sampled_from(entry.choices) if entry.choices else st.from_regex(entry.pattern, fullmatch=True)
    text = data.draw(st.text(max_size=20) | likely)
    valid = Draft202012Validator(entry.schema()).is_valid(text)
    assert valid or not entry.allows(text)
    if entry.name not in ("command", "is_test"):  # letters beyond ASCII have no name that both know
        assert entry.allows(text.removesuffix("\n")) or not valid


def test_a_metric_that_was_not_agreed_to_is_not_in_the_message() -> None:
    event = replace(EVENT, metrics={"os": "linux", "jobs": 4})
    jobs = BUILT_IN["jobs"].declaration()
    found = message(event, name="n", anonymous_id=ID, metrics=[jobs])
    assert set(found["properties"]) - set(message_with()["properties"]) == {"jobs"}  # type: ignore[call-overload]
    assert check(found, metrics=[jobs]) == []
    assert check(found) == ["jobs: is not declared"]
    outside = message(replace(event, metrics={"jobs": -1}), name="n", anonymous_id=ID, metrics=[jobs])
    assert "jobs" not in outside["properties"]


def test_built_in_metrics_say_what_they_declare() -> None:
    target = TargetFacts(run=RUN, target="a", goal=True, start_ns=0, duration_ms=5, exit_status=0, recipe_ms=3,
                         recipe_lines=1, cpu_us=1_499, peak_kib=2_000)  # fmt: skip
    told = {}
    for kind in ASKED_FOR:
        entry = kind.declaration()
        assert fault(entry) == ""
        told[entry.name] = value = kind().value(RUN if entry.scope == "run" else target)
        assert value is None or entry.allows(value), entry.name
    assert told["os"] in ("linux", "macos", "freebsd", "other")
    assert told["cpu_architecture"]
    assert (told["jobs"], told["make_version"], told["ci"]) == (4, "4.3", "none")
    assert (told["cpu_ms"], told["peak_memory_kib"], told["git_dirty"]) == (1, 2_000, None)


def test_what_is_not_known_is_left_out() -> None:
    nothing = RunFacts(here=False)
    target = TargetFacts(run=nothing, target="a", goal=True, start_ns=0, duration_ms=5, exit_status=0, recipe_ms=3,
                         recipe_lines=0)  # fmt: skip
    for kind in ASKED_FOR:
        assert kind().value(nothing if kind.scope == "run" else target) is None, kind.identifier


def test_what_another_machine_is_is_not_known() -> None:
    for kind in (System, SystemVersion, Architecture):
        assert kind().value(replace(RUN, here=False)) is None


def test_changes_to_the_work_tree_are_seen(repository: Path) -> None:
    (repository / "a").write_text("1")
    _git(repository, "add", "a")
    head = commit(repository)
    run = replace(RUN, repository=str(repository), commit=head, ended_ns=time.time_ns())
    assert Dirty().value(run) is False
    (repository / "new").write_text("")
    assert Dirty().value(run) is False
    (repository / "a").write_text("22")
    assert Dirty().value(run) is True
    assert Dirty().value(replace(run, ended_ns=time.time_ns() - 3_600_000_000_000)) is None
    assert Dirty().value(replace(run, commit="0" * 40)) is None


def test_no_monitor_of_the_repository_is_started(repository: Path) -> None:
    """A repository's configuration can name a program that git starts to look for changes."""
    monitor = repository / "monitor"
    monitor.write_text(f"#!/bin/sh\ntouch {repository}/was-started\n")
    monitor.chmod(0o755)
    _git(repository, "config", "core.fsmonitor", str(monitor))
    head = commit(repository)
    (repository / "was-started").unlink(missing_ok=True)
    assert Dirty().value(replace(RUN, repository=str(repository), commit=head, ended_ns=time.time_ns())) is False
    assert not (repository / "was-started").exists()
    _git(repository, "status")
    assert (repository / "was-started").exists()


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", folder, *words], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({}, "none"),
        ({"CI": "false"}, "none"),
        ({"CI": "true"}, "other"),
        ({"CI": "true", "GITHUB_ACTIONS": "true"}, "github-actions"),
        ({"JENKINS_URL": "http://j"}, "jenkins"),
        ({"GITLAB_CI": ""}, "none"),
    ],
)
def test_the_service_of_an_environment(environ: dict[str, str], name: str) -> None:
    assert environment.ci_service(environ) == name


def test_the_example_of_the_documentation_is_a_metric() -> None:
    text = (ROOT / "docs" / "metrics.md").read_text()
    settings, project = (tomllib.loads(block) for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL))
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    space: dict[str, Any] = {"__name__": "queue_metrics"}
    exec(code, space)  # noqa: S102
    assert metric.REFUSED == {}
    assert project["project"]["entry-points"][worker.GROUP] == {"queue_length": "queue_metrics:QueueLength"}
    assert metric.REGISTERED["queue_length"] is space["QueueLength"]
    assert set(settings["metrics"]) - {"queue_length"} <= BUILT_IN.keys()
    named = text.split("are off unless")[1].split("`make-metrics schema`")[0]
    assert set(re.findall(r"`(\w+)`", named)) == {kind.identifier for kind in ASKED_FOR}
