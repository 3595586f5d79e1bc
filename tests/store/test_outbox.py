from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from make_metrics.combine.record import Contents
from make_metrics.combine.run import Run, events_of, gather, merge
from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import ensure_id, erase_id, read_id
from make_metrics.deliver import outgoing
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project, project_of
from make_metrics.store import database
from make_metrics.store.outbox import DAY_NS, KEEP_NS, KEEP_SENT_NS, Attempt, Batch, Entry, Outbox, sink_id
from make_metrics.sweep.sweep import sweep
from tests.support.records import WALL_NS, add, ended_run, line, make_in_project, paths_in
from tests.support.settings_files import write_settings
from tests.support.store import ask
from tests.support.sweep_points import sweep_points

NOW_NS = 1_790_000_000_000_000_000


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(database.connect(tmp_path / "store")) as found:
        yield Outbox(found)


def entry(name: str, *, sink: str = "s", project: str = "p", text: str = "") -> Entry:
    return Entry(sink, project, name, {"text": text})


def names(outbox: Outbox, sink: str = "s") -> list[str]:
    return [found.message_id for found in outbox.waiting("p", sink)]


def test_the_newer_form_of_what_waits_goes(outbox: Outbox) -> None:
    outbox.put([entry("a", text="old"), entry("b")], now_ns=1)
    outbox.put([entry("a", text="new")], now_ns=2)
    assert [found.message["text"] for found in outbox.waiting("p", "s")] == ["new", ""]


def test_what_is_accepted_leaves_for_that_sink_only(outbox: Outbox) -> None:
    outbox.put([entry("a"), entry("a", sink="t")], now_ns=1)
    outbox.accept(outbox.waiting("p", "s"), Batch(5, "url", 1, b"body"))
    outbox.put([entry("a"), entry("a", sink="t")], now_ns=2)
    assert (names(outbox), names(outbox, "t")) == ([], ["a"])
    assert outbox.sent_batches("p") == [Batch(5, "url", 1, b"body", "s")]


def test_what_is_set_aside_stays_aside(outbox: Outbox) -> None:
    outbox.put([entry("a")], now_ns=1)
    outbox.set_aside(entry("a"), "no")
    outbox.put([entry("a", text="new")], now_ns=2)
    assert names(outbox) == []
    assert outbox.refused("p") == {"no": 1}


def test_the_oldest_go_after_fourteen_days(outbox: Outbox) -> None:
    outbox.put([entry("old")], now_ns=NOW_NS - KEEP_NS - 1)
    outbox.put([entry("young")], now_ns=NOW_NS - KEEP_NS)
    outbox.prune(now_ns=NOW_NS)
    assert names(outbox) == ["young"]
    assert outbox.dropped("p") == {"older than 14 days": 1}


def test_the_oldest_go_when_there_are_too_many(outbox: Outbox) -> None:
    for number in range(10):
        outbox.put([entry(str(number))], now_ns=NOW_NS + number)
    outbox.prune(now_ns=NOW_NS, limit_events=7)
    outbox.prune(now_ns=NOW_NS, limit_events=6)
    assert names(outbox) == ["4", "5", "6", "7", "8", "9"]
    assert outbox.dropped("p") == {"more than 10,000 waited": 4}
    assert outbox.dropped("other") == {}


def test_the_oldest_go_when_they_are_too_large(outbox: Outbox) -> None:
    for number in range(10):
        outbox.put([entry(str(number), text="x" * 88)], now_ns=NOW_NS + number)
    outbox.prune(now_ns=NOW_NS, limit_bytes=799)
    assert names(outbox) == ["3", "4", "5", "6", "7", "8", "9"]
    assert outbox.dropped("p") == {"more than 5 MB waited": 3}
    assert outbox.count("p").bytes == 700


def test_the_ledger_keeps_ninety_days(outbox: Outbox) -> None:
    for sent_ns in (NOW_NS - KEEP_SENT_NS - 1, NOW_NS - DAY_NS):
        outbox.put([entry("a")], now_ns=NOW_NS)
        if not outbox.waiting("p", "s"):
            outbox.put([entry("b")], now_ns=NOW_NS)
        outbox.accept(outbox.waiting("p", "s"), Batch(sent_ns, "url", 1, b"body"))
    outbox.prune(now_ns=NOW_NS)
    assert [batch.sent_ns for batch in outbox.sent_batches("p")] == [NOW_NS - DAY_NS]


def test_a_withdrawal_is_of_one_project(outbox: Outbox) -> None:
    outbox.put([entry("a"), entry("b", project="q"), entry("c", sink="t")], now_ns=1)
    outbox.set_aside(entry("c", sink="t"), "no")
    outbox.note_attempt("p", Attempt("s", 1, "x", 2))
    assert outbox.withdraw("p") == 2
    assert (outbox.projects(), outbox.attempts("p"), outbox.count("p").aside) == (["q"], [], 0)


def test_a_sink_that_is_gone_leaves_nothing(outbox: Outbox) -> None:
    outbox.put([entry("a"), entry("a", sink="t"), entry("b", sink="t", project="q")], now_ns=1)
    outbox.keep_only("p", ["s"])
    assert (names(outbox), names(outbox, "t"), outbox.projects()) == (["a"], [], ["p", "q"])


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_in(tmp_path / "mm")


@pytest.fixture
def project(tmp_path: Path, paths: Paths) -> Project:
    """A project with a yes of before the samples' time."""
    write_settings(tmp_path / "project")
    found = project_of(tmp_path / "project")
    with consent.lock(paths):
        ensure_id(paths, found)
        consent.write_decision(paths, found, yes=True, now_ns=WALL_NS)
    return found


def queued(paths: Paths, project: Project) -> int:
    return ask(paths, lambda found: Outbox(found).count(str(project.directory)).events) // 2


def test_a_make_is_queued_once_it_is_described(paths: Paths, project: Project) -> None:
    run = ended_run()
    add(paths, run, line("a", make=run))
    sweep(paths)
    assert queued(paths, project) == 0
    add(paths, run, make_in_project(run, project))
    sweep(paths)
    assert queued(paths, project) == 1
    add(paths, run, line("b", make=run, start=5))
    sweep(paths)
    assert queued(paths, project) == 2


def test_a_late_line_changes_what_waits(paths: Paths, project: Project) -> None:
    run = ended_run()
    add(paths, run, make_in_project(run, project), line("a", make=run, end=5))
    sweep(paths)
    add(paths, run, line("a", make=run, start=6, end=500))
    sweep(paths)
    key = sink_id(project.sinks[0])
    (waiting,) = ask(paths, lambda found: Outbox(found).waiting(str(project.directory), key))
    assert waiting.message["properties"]["duration_ms"] == 500


def test_a_run_that_began_before_the_yes_stays_here(paths: Paths, project: Project) -> None:
    run = ended_run()
    early = replace(line("a", make=run), wall_ns=WALL_NS - 1)
    add(paths, run, make_in_project(run, project), early, line("b", make=run, start=5))
    sweep(paths)
    assert queued(paths, project) == 0


@pytest.mark.parametrize("point", ["locked", "read", "committed"])
def test_what_is_decided_while_a_sweep_goes_on_counts(paths: Paths, project: Project, point: str) -> None:
    """A no and another yes: nothing from before it is queued, however far the sweep has come."""
    first, second = ended_run(), ended_run()
    for run in (first, second):
        add(paths, run, make_in_project(run, project), line("a", make=run))

    def decide(reached: str) -> None:
        if reached != point or read_id(paths, project) != before:
            return
        consent.write_decision(paths, project, yes=False, now_ns=WALL_NS + 1)
        erase_id(paths, project)
        with sqlite3.connect(paths.store) as connection:
            Outbox(connection).withdraw(project.path)
        connection.close()
        ensure_id(paths, project)
        consent.write_decision(paths, project, yes=True, now_ns=WALL_NS + 1_000_000_000)

    before = read_id(paths, project)
    assert before
    with sweep_points(decide):
        assert sweep(paths).combined == 2
    assert read_id(paths, project) not in (None, before)
    assert queued(paths, project) == 0


@pytest.mark.parametrize("ceiling", ["", "off", "local", "ON", "x"])
def test_only_what_the_environment_allowed(project: Project, paths: Paths, ceiling: str) -> None:
    run = gather("r", Contents(lines=[line("a", make="r")], makes=[make_in_project("r", project, ceiling=ceiling)]))
    assert outgoing.permissions(outgoing.ProjectCache(paths), run) == {}


def test_a_nested_make_needs_all_above_it(project: Project, paths: Paths) -> None:
    lines = Contents(
        lines=[line("a", make="n", level=1)], makes=[make_in_project("n", project, parent="r", parent_target="a")]
    )
    nested = gather("r", lines)

    def count(run: Run) -> int:
        projects = outgoing.ProjectCache(paths)
        return len(outgoing.entries(projects, run, events_of(run), outgoing.permissions(projects, run)))

    assert count(nested) == 0
    assert count(merge(nested, Run("r", {"r": make_in_project("r", project, ceiling="local")}))) == 0
    assert count(merge(nested, Run("r", {"r": make_in_project("r", project)}))) == 2
    circle = Run("r", {"r": make_in_project("r", project, parent="n")})
    assert count(merge(nested, circle)) == 0


def test_what_still_waits_is_given_in_the_order_asked_for_with_its_newer_form(outbox: Outbox) -> None:
    outbox.put([entry(name, text="old") for name in "abcd"] + [entry("a", sink="t"), entry("e", project="q")], now_ns=1)
    asked = [*outbox.waiting("p", "s")][::-1] + outbox.waiting("q", "s")
    outbox.put([entry("c", text="new")], now_ns=2)
    outbox.set_aside(entry("d"), "no")
    outbox.accept([entry("b")], Batch(5, "url", 1, b"body"))
    found = [(one.project, one.message_id, one.message["text"]) for one in outbox.reload(asked)]
    assert found == [("p", "c", "new"), ("p", "a", "old"), ("q", "e", "")]
    assert outbox.reload([]) == []
