"""The base class of metrics: registration and refusal; and the values of the built-in metrics."""

from __future__ import annotations

import re
import time
import tomllib
from dataclasses import replace
from typing import Any

import pytest

from make_metrics.metrics import Metric, RunFacts, TargetFacts, worker
from make_metrics.properties import metric
from make_metrics.properties.machine import Architecture, System, SystemVersion
from make_metrics.properties.property import fault
from make_metrics.properties.registry import ASKED_FOR, BUILT_IN
from tests.support.project import ROOT

RUN = RunFacts(make_version="4.3", jobs=4, ci="none", ended_ns=time.time_ns())
GOOD: dict[str, Any] = {
    "identifier": "one", "kind": "integer", "values": "a count", "purpose": "to count", "example": 1, "scope": "run",
    "most": 5, "value": lambda *_: 1,
}  # fmt: skip


@pytest.fixture(autouse=True)
def own_registers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test registers metrics in registers of its own. At first they hold the built-in metrics."""
    monkeypatch.setattr(metric, "REGISTERED", dict(metric.REGISTERED))
    monkeypatch.setattr(metric, "REFUSED", {})


def refusal(**changes: Any) -> str:
    """Define a metric like GOOD, with changes; return why it is refused, empty if it is registered."""
    body = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    defined = type("Defined", (Metric,), body)
    reason = metric.REFUSED.pop(f"{defined.__module__}.Defined", "")
    assert (defined in metric.REGISTERED.values()) == (not reason)
    return reason


def test_defining_a_metric_registers_it() -> None:
    assert refusal() == ""
    assert metric.REGISTERED["one"].declaration().name == "one"
    assert refusal(identifier="two", kind="string", choices=("a", "b"), example="a") == ""
    assert refusal(identifier="three", kind="boolean", example=True) == ""


def test_a_class_without_an_identifier_is_not_registered() -> None:
    class Base(Metric):
        kind = "integer"

    assert Base not in metric.REGISTERED.values()
    assert metric.REFUSED == {}


@pytest.mark.parametrize(
    ("changes", "reason"),
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
def test_a_bad_declaration_is_refused_and_no_other(changes: dict[str, Any], reason: str) -> None:
    assert reason in refusal(**changes)
    assert refusal() == ""


def test_a_second_metric_of_the_same_name_is_refused() -> None:
    assert refusal() == ""
    assert "taken" in refusal()


def test_built_in_metrics_return_values_that_their_declarations_allow() -> None:
    target = TargetFacts(run=RUN, target="a", goal=True, start_ns=0, duration_ms=5, exit_status=0, recipe_ms=3,
                         recipe_lines=1, cpu_us=1_499, peak_kib=2_000)  # fmt: skip
    values = {}
    for kind in ASKED_FOR:
        declaration = kind.declaration()
        assert fault(declaration) == ""
        values[declaration.name] = value = kind().value(RUN if declaration.scope == "run" else target)
        assert value is None or declaration.allows(value), declaration.name
    assert values["os"] in ("linux", "macos", "freebsd", "other")
    assert values["cpu_architecture"]
    assert (values["jobs"], values["make_version"], values["ci"]) == (4, "4.3", "none")
    assert (values["cpu_ms"], values["peak_memory_kib"], values["git_dirty"]) == (1, 2_000, None)


def test_a_built_in_metric_has_no_value_where_nothing_is_known() -> None:
    nothing = RunFacts(here=False)
    target = TargetFacts(run=nothing, target="a", goal=True, start_ns=0, duration_ms=5, exit_status=0, recipe_ms=3,
                         recipe_lines=0)  # fmt: skip
    for kind in ASKED_FOR:
        assert kind().value(nothing if kind.scope == "run" else target) is None, kind.identifier


def test_metrics_of_the_machine_have_no_value_for_another_machine() -> None:
    for kind in (System, SystemVersion, Architecture):
        assert kind().value(replace(RUN, here=False)) is None


def test_the_example_in_the_documentation_is_a_metric() -> None:
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
