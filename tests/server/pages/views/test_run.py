from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from sqlalchemy import event

from make_metrics.server.pages.filters import Filters
from make_metrics.server.pages.questions.run import run_of
from make_metrics.server.projects.projects import add_project
from make_metrics.server.storage.database import Database
from tests.support.team_pages import PROJECT, deliver, rows_of, section_of, view_of
from tests.support.team_receiver import message

BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
RUN = str(uuid.uuid4())


def nested_run(database: Database) -> None:
    """`all` needs `sub`, whose recipe starts a make that makes `inner`; then its own recipe fails."""
    add_project(database, PROJECT)
    person = str(uuid.uuid4())

    def event(target: str, start_s: float, whole_s: float, own_s: float, **values: object) -> dict[str, object]:
        return message(person, target=target, at=BEGAN + timedelta(seconds=start_s), duration_ms=int(whole_s * 1_000),
                       recipe_ms=int(own_s * 1_000), run_id=RUN, **values)  # fmt: skip

    sub = event("sub", 1, 4, 4, goal=False)
    inner = event("inner", 2, 2, 2, goal=False, make_level=1, parent_id=sub["messageId"])
    whole = event("all", 0, 7, 1.5, exit_status=2)
    other = message(str(uuid.uuid4()), target="other")
    deliver(database, [sub, inner, whole, other], 2)


def test_a_run_is_put_together_from_its_events(database: Database) -> None:
    nested_run(database)
    with database.reading() as connection:
        build = run_of(connection, 1, RUN)
    assert build is not None
    assert (build.duration_us, build.status, build.makes[0].goals) == (7_000_000, 2, ("all",))
    assert [(target.name, target.make, target.start_us, target.end_us) for target in build.targets] == [
        ("sub", 0, 1_000_000, 5_000_000),
        ("inner", 1, 2_000_000, 4_000_000),
        ("all", 0, 5_500_000, 7_000_000),
    ]
    assert (build.makes[1].parent, build.makes[1].parent_target) == (0, "sub")
    view = view_of(database, "run", Filters(run=RUN))
    assert [row[0] for row in rows_of(view, "targets")] == ["sub", "inner", "all"]
    chart = section_of(view, "targets").chart or ""
    assert chart.count("<rect") == 3
    assert "exit status 2" in chart


def test_runs_are_listed_only_where_one_person_is_no_too_small_group(database: Database) -> None:
    nested_run(database)
    assert [section.key for section in view_of(database, "run").sections] == ["run"]
    (row, _) = sorted(rows_of(view_of(database, "run", smallest=0), "runs"), key=lambda row: row[0] != RUN)
    assert row == (RUN, int(BEGAN.timestamp()) * 1_000_000, "all", 7_000, "2", 3)


def test_a_run_of_another_project_is_not_there(database: Database) -> None:
    nested_run(database)
    add_project(database, "other")
    with database.reading() as connection:
        assert run_of(connection, 2, RUN) is None
    assert "no such run" in view_of(database, "run", Filters(run=str(uuid.uuid4()))).text


def test_the_events_of_all_listed_runs_are_asked_for_at_once(database: Database) -> None:
    add_project(database, PROJECT)
    runs = [str(uuid.uuid4()) for _ in range(20)]
    events = [
        message(str(uuid.uuid4()), target=target, at=BEGAN + timedelta(minutes=place), run_id=run)
        for place, run in enumerate(runs)
        for target in ("sub", "all")
    ]
    deliver(database, events, 2)
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *values: asked.append(values[2]))
    rows = rows_of(view_of(database, "run", smallest=0), "runs")
    assert [(row[0], row[5]) for row in rows] == [(run, 2) for run in reversed(runs)]
    assert sum("FROM events" in statement for statement in asked) == 2
