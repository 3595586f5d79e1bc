"""The collector: a metric in trouble affects no other."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from make_metrics.combine.event import Event
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.files.write import write_file
from make_metrics.metrics import RunFacts, catalogue, child, worker
from make_metrics.metrics import collector as collector_module
from make_metrics.metrics.collector import Collector, Values
from make_metrics.metrics.trouble import FAILED, OUTSIDE, SLOW
from make_metrics.project import git_command
from make_metrics.properties.machine import System
from make_metrics.properties.property import Property
from make_metrics.properties.registry import BUILT_IN
from tests.support.events import EVENT
from tests.support.project import SOURCE, until
from tests.support.records import paths_in

RUN = RunFacts(goals=("all", "b"), repository="/nowhere", commit="1" * 40, branch="main")
NAMES = ("goal_count", "target_length", "raises", "outside", "odd", "ends", "noisy")


@pytest.fixture
def paths(home: Path) -> Paths:
    return paths_in(home)


@pytest.fixture
def shop(shop_python: Path, patient: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment in which metrics are looked for is the one with the distribution."""
    monkeypatch.setattr(sys, "executable", str(shop_python))
    monkeypatch.setattr(catalogue, "_cache", {})
    return shop_python


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Limits that no good metric meets on a slow machine."""
    monkeypatch.setattr(collector_module, "VALUE_S", 60.0)
    monkeypatch.setattr(collector_module, "START_S", 60.0)
    monkeypatch.setattr(child, "LOAD_S", 60.0)
    monkeypatch.setattr(catalogue, "LOAD_S", 60.0)
    monkeypatch.setattr(catalogue, "START_S", 60.0)
    return monkeypatch


def events(*targets: str) -> list[Event]:
    return [replace(EVENT, target=target, message_id=f"id of {target}") for target in targets]


def workers() -> list[psutil.Process]:
    """The processes of metrics that are ours."""
    processes = []
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error):  # it has just ended
            if worker.__file__ in process.cmdline():
                processes.append(process)
    return processes


def gone(*pids: str) -> bool:
    return not any(process.pid in map(int, pids) and process.status() != "zombie" for process in psutil.process_iter())


def test_a_bad_metric_has_no_value_and_affects_no_other(
    shop: Path, paths: Paths, home: Path, patient: pytest.MonkeyPatch
) -> None:
    asked = catalogue.declarations(paths, NAMES)
    assert tuple(entry.name for entry in asked) == NAMES
    with Collector() as collector:
        collected = collector.collect(RUN, events("a", "b"), {}, asked)
        again = collector.collect(RUN, events("c"), {}, asked)
        assert len(workers()) == 6
    assert [dict(event.metrics) for event in collected] == [
        {"goal_count": 2, "target_length": 1, "noisy": 0},
        {"goal_count": 2, "target_length": 1, "noisy": 0, "raises": 2},
    ]
    assert [dict(event.metrics) for event in again] == [{"goal_count": 2, "target_length": 1, "noisy": 0}]
    assert all(event.git_checked_out_master for event in collected)
    assert {(trouble.metric, trouble.kind) for trouble in collector.troubles} == {
        ("ends", FAILED), ("odd", OUTSIDE), ("outside", OUTSIDE), ("raises", FAILED),
    }  # fmt: skip
    until(lambda: workers() == [])


def test_a_metric_that_takes_too_long_is_ended_and_not_asked_again(
    shop: Path, paths: Paths, home: Path, patient: pytest.MonkeyPatch
) -> None:
    asked = catalogue.declarations(paths, ["sleeps", "goal_count"])
    with Collector() as collector:
        patient.setattr(collector_module, "VALUE_S", 1.0)
        collector.collect(RUN, events("a"), {}, asked[:1])
        assert [(trouble.metric, trouble.kind) for trouble in collector.troubles] == [("sleeps", SLOW)]
        patient.setattr(collector_module, "VALUE_S", 60.0)
        (event,) = collector.collect(RUN, events("a"), {}, asked)
        assert event.metrics == {"goal_count": 2}
        assert len(collector.troubles) == 1
    if (home / "sleepers").exists():  # on a machine that is slow enough it was ended before it slept
        until(lambda: gone(*(home / "sleepers").read_text().split()))


def test_known_values_stay_when_a_run_is_combined_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [BUILT_IN[name].declaration() for name in ("os", "cpu_ms")]
    with Collector() as collector:
        (first,) = collector.collect(RUN, [replace(EVENT, cpu_us=5_000)], {}, asked)
        assert first.metrics == {"os": System().value(RUN), "cpu_ms": 5}
        known: dict[str, Values] = {EVENT.message_id: {"os": "other", "cpu_ms": 5, "withdrawn": True}}
        later = [replace(EVENT, cpu_us=9_000), *events("late")]
        collected = collector.collect(RUN, later, known, asked)
        assert [event.metrics for event in collected] == [
            {"os": "other", "cpu_ms": 9, "withdrawn": True}, {"os": "other"},
        ]  # fmt: skip
        monkeypatch.setattr(BUILT_IN["cpu_ms"], "value", lambda *_: 1 / 0)
        (collected[0], _) = collector.collect(RUN, later, known, asked)
        assert collected[0].metrics == known[EVENT.message_id]
    assert [(trouble.metric, trouble.kind, trouble.said) for trouble in collector.troubles] == [
        ("cpu_ms", FAILED, "ZeroDivisionError: division by zero")
    ]


@pytest.mark.parametrize("value", ["windows", 5, True, "linux ", ["linux"]])
def test_a_value_that_the_declaration_does_not_allow_is_dropped(value: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BUILT_IN["os"], "value", lambda *_: value)
    with Collector() as collector:
        (event,) = collector.collect(RUN, [EVENT], {}, [BUILT_IN["os"].declaration()])
    assert event.metrics == {}
    assert collector.troubles


def test_git_that_hangs_is_asked_once_in_a_work_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "git").write_text(f"#!/bin/sh\necho asked >> {tmp_path}/log\nexec sleep 60\n")
    (slow / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow}:{os.environ['PATH']}")
    monkeypatch.setattr(git_command, "_LIMIT_S", 0.5)
    run = replace(RUN, repository=str(tmp_path))
    with Collector() as collector:
        for commit in ("1", "2"):
            (event,) = collector.collect(replace(run, commit=commit * 40), [EVENT], {})
            assert (event.git_checked_out_master, event.git_commit_time) == (True, None)
    assert [(trouble.metric, trouble.kind) for trouble in collector.troubles] == [("git_commit_time", SLOW)]
    assert (tmp_path / "log").read_text() == "asked\n"


def test_a_metrics_process_ends_with_its_parent(shop: Path, home: Path) -> None:
    """Killed in the midst of a metric: nobody is left to end its process."""
    code = (
        f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n"
        "from make_metrics.metrics import RunFacts, child\nchild.LOAD_S = 60\n"
        "sleeping = child.Child('sleeps'); sleeping.declaration()\n"
        "child.ask_all({'': sleeping}, 'values', {'': child.request(RunFacts(), [])}, 60)\n"
    )
    asks = subprocess.Popen([shop, "-c", code], stderr=subprocess.DEVNULL)
    until(lambda: (home / "sleepers").exists() and (home / "sleepers").read_text(), seconds=60)
    asks.send_signal(signal.SIGKILL)
    asks.wait(20)
    worker, sleeper = (home / "sleepers").read_text().split()
    until(lambda: gone(worker))
    if not gone(sleeper):  # what it has started outlives it then
        os.kill(int(sleeper), signal.SIGKILL)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("misdeclared", "kind must be one of"),
        ("other_name", "the identifier is noisy"),
        ("no_class", "is no subclass of make_metrics.metrics.Metric"),
        ("no_module", "ModuleNotFoundError"),
        ("nobodys", "is neither built in, nor brought by"),
    ],
)
def test_the_catalogue_says_why_a_metric_cannot_be_loaded(shop: Path, paths: Paths, name: str, reason: str) -> None:
    metrics = catalogue.refresh(paths, ["target_length", name])
    assert metrics["target_length"].problem == ""
    assert reason in metrics[name].problem
    assert [entry.name for entry in catalogue.declarations(paths, [name, "target_length"])] == ["target_length"]


def test_another_distribution_cannot_replace_a_built_in_metric(shop: Path, paths: Paths) -> None:
    assert catalogue.refresh(paths, ["os", "git_commit_time", "command"]) == {}
    (entry,) = catalogue.declarations(paths, ["os", "git_commit_time", "command"])
    assert (entry.provider, entry.choices[0]) == ("", "linux")
    with pytest.raises(child.FailedError, match="taken"):
        child.Child("os").declaration()


def test_a_declaration_stays_known_once_the_distribution_is_gone(
    shop: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Someone who has agreed to it is not asked again because it cannot be loaded."""
    before = catalogue.declarations(paths, ["goal_count"])
    assert before[0].provider == "shop-metrics"
    monkeypatch.setattr(sys, "executable", str(Path(sys.prefix) / "bin" / "python"))
    monkeypatch.setattr(catalogue, "_cache", {})
    assert catalogue.declarations(paths, ["goal_count"]) == before
    assert "neither built in" in catalogue.refresh(paths, ["goal_count"])["goal_count"].problem
    assert catalogue.declarations(paths, ["goal_count"]) == before
    with Collector() as collector:
        (event,) = collector.collect(RUN, [EVENT], {}, before)
    assert (event.metrics, collector.troubles[0].kind) == ({}, FAILED)
    catalogue.refresh(paths, ["goal_count"], forget=True)
    assert catalogue.declarations(paths, ["goal_count"]) == ()


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"format": 2}', b'{"format": 1, "offer": [], "declared": {}}'])
def test_a_damaged_file_of_the_catalogue_is_written_again(
    shop: Path, paths: Paths, damage: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = catalogue.declarations(paths, ["goal_count"])
    (paths.catalogue / "goal_count.json").write_bytes(damage)
    monkeypatch.setattr(catalogue, "_cache", {})
    assert catalogue.declarations(paths, ["goal_count"]) == before


def test_metrics_are_declared_even_if_the_catalogue_cannot_be_written(shop: Path, paths: Paths) -> None:
    paths.state.write_text("")
    with pytest.raises(UserError):
        write_file(paths.catalogue / "x", b"")
    assert [entry.name for entry in catalogue.declarations(paths, ["goal_count"])] == ["goal_count"]


def test_a_document_with_another_name_or_shape_is_no_declaration() -> None:
    good = {"name": "one", "kind": "boolean", "values": "v", "purpose": "p", "example": True, "sources": []}
    offer = ("d", "1", "m:C")
    assert isinstance(catalogue._declared(good, "one", offer), Property)
    changes: list[dict[str, Any]] = [
        {"name": "two"}, {"kind": "any"}, {"more": 1}, {"values": 5}, {"scope": {}}, {"example": []},
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(ValueError, match=r"\w"):
            catalogue._declared({**good, **change}, "one", offer)
