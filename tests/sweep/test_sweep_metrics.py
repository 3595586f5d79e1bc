"""Metrics in the store and the outbox: computed once for a run, counted when they are in trouble, bounded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import ensure_id
from make_metrics.files.paths import Paths
from make_metrics.metrics.trouble import FAILED, OUTSIDE
from make_metrics.project.project import Project, project_of
from make_metrics.properties.registry import BUILT_IN
from make_metrics.store.outbox import Outbox, sink_id
from make_metrics.store.troubles import Count, Troubles
from make_metrics.sweep.sweep import sweep
from tests.support.records import WALL_NS, add, ended_run, line, make_in_project, paths_in, stored
from tests.support.settings_files import FULL_SETTINGS, write_settings
from tests.support.store import ask, waiting_for


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_in(tmp_path / "mm")


@pytest.fixture
def project(tmp_path: Path, paths: Paths) -> Project:
    """A project that asks for metrics, with a yes."""
    write_settings(
        tmp_path / "project", 'metrics = ["os", "jobs", "cpu_ms", "peak_memory_kib", "make_version"]\n' + FULL_SETTINGS
    )
    (tmp_path / "project/Makefile").write_text("a b: ;\n")
    project = project_of(tmp_path / "project")
    with consent.lock(paths):
        ensure_id(paths, project)
        consent.write_decision(paths, project, yes=True, now_ns=WALL_NS)
    return project


def counts(paths: Paths) -> list[Count]:
    return ask(paths, lambda connection: Troubles(connection).all())


def waiting(paths: Paths, project: Project) -> dict[str, dict[str, Any]]:
    """The properties of what waits for the first sink, by command."""
    key = sink_id(project.sinks[0])
    entries = ask(paths, lambda connection: waiting_for(Outbox(connection), project.path, key))
    return {entry.message["properties"]["command"]: entry.message["properties"] for entry in entries}


def test_a_late_line_neither_changes_nor_loses_known_metrics_of_the_run(
    paths: Paths, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = ended_run()
    first_line = replace(line("a", make=run), cpu_us=3_000, peak_kib=100)
    add(paths, run, replace(make_in_project(run, project, version="4.3"), jobs=4), first_line)
    sweep(paths)
    (first,) = stored(paths)
    run_values = {"os": first.metrics["os"], "jobs": 4, "make_version": "4.3"}
    assert first.metrics == {**run_values, "cpu_ms": 3, "peak_memory_kib": 100}
    assert waiting(paths, project)["a"].items() >= first.metrics.items()
    for name in ("os", "peak_memory_kib"):
        monkeypatch.setattr(BUILT_IN[name], "value", lambda *_: 1 / 0)
    second_line = replace(first_line, start_ns=first_line.end_ns, end_ns=first_line.end_ns + 1)
    add(paths, run, second_line, replace(line("b", make=run), cpu_us=900, peak_kib=5))
    sweep(paths)
    again = {event.target: event.metrics for event in stored(paths)}
    assert again == {"a": {**run_values, "cpu_ms": 6, "peak_memory_kib": 100}, "b": {**run_values, "cpu_ms": 1}}
    for target, metrics in again.items():
        assert waiting(paths, project)[target].items() >= metrics.items()
    assert [(count.metric, count.kind, count.count) for count in counts(paths)] == [("peak_memory_kib", FAILED, 1)]


def test_no_metric_is_computed_for_a_run_that_no_yes_covers(paths: Paths, project: Project) -> None:
    early, local = ended_run(), ended_run()
    add(paths, early, make_in_project(early, project), replace(line("a", make=early), wall_ns=WALL_NS - 1))
    add(paths, local, make_in_project(local, project, ceiling="local"), line("a", make=local))
    sweep(paths)
    assert [event.metrics for event in stored(paths)] == [{}, {}]
    assert waiting(paths, project) == {}


def test_a_forbidden_value_is_dropped_and_counted_and_its_event_is_queued(
    paths: Paths, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BUILT_IN["os"], "value", lambda *_: "/home/me")
    for _ in range(3):
        run = ended_run()
        add(paths, run, make_in_project(run, project), line("a", make=run))
        sweep(paths)
    assert "os" not in waiting(paths, project)["a"]
    (count,) = counts(paths)
    assert (count.metric, count.kind, count.count) == ("os", OUTSIDE, 3)
    assert "/home/me" not in str(count)
    assert count.text.startswith("os gave what its declaration does not allow (3 times, last 20")
