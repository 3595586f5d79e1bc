"""Projects and write keys: added, rotated, disabled, deleted."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import func, select

from make_metrics.errors import UserError
from make_metrics.server.projects import projects
from make_metrics.server.projects.keys import Keys
from make_metrics.server.projects.projects import (
    add_project,
    change_project,
    delete_project,
    list_projects,
    rotate_key,
    set_disabled,
)
from make_metrics.server.projects.tokens import add_token
from make_metrics.server.receiving.messages import check, limits
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.rollups import refresh
from make_metrics.server.storage.tables import METADATA
from make_metrics.server.storage.write import Writer
from tests.support.team_receiver import messages


def test_a_project_is_found_by_its_key(database: Database) -> None:
    key = add_project(database, "a")
    found = Keys(database).look_up(key)
    assert found is not None
    assert (found.retention_days, found.disabled) == (365, False)
    assert Keys(database).look_up("another") is None


def test_a_rotated_key_is_taken_for_a_while_or_not_at_all(database: Database) -> None:
    first = add_project(database, "a")
    second = rotate_key(database, "a")
    keys = Keys(database)
    assert [bool(keys.look_up(key)) for key in (first, second)] == [True, True]
    third = rotate_key(database, "a", at_once=True)
    assert [bool(keys.look_up(key)) for key in (first, second, third)] == [False, False, True]
    assert list_projects(database)[0].keys == (third,)
    assert keys.remembered(first) is None


def test_settings_are_kept(database: Database) -> None:
    add_project(database, "a")
    change_project(database, "a", retention_days=30)
    change_project(database, "a", smallest_group=0)
    set_disabled(database, "a", disabled=True)
    (project,) = list_projects(database)
    assert (project.retention_days, project.smallest_group, project.disabled) == (30, 0, True)


@pytest.mark.parametrize("name", ["", " a", "a\n", "'; DROP TABLE projects; --", "x" * 81, "<b>"])
def test_a_name_is_a_name(database: Database, name: str) -> None:
    with pytest.raises(UserError, match="a project's name is"):
        add_project(database, name)


def test_mistakes_get_a_clear_line(database: Database) -> None:
    add_project(database, "alpha")
    with pytest.raises(UserError, match="already"):
        add_project(database, "alpha")
    with pytest.raises(UserError, match="did you mean alpha"):
        rotate_key(database, "alpah")
    with pytest.raises(UserError, match="1 to 3650"):
        change_project(database, "alpha", retention_days=0)
    with pytest.raises(UserError, match="0 to 1000"):
        change_project(database, "alpha", smallest_group=-1)


def test_a_deleted_project_leaves_nothing(database: Database) -> None:
    for name in ("a", "b"):
        add_project(database, name)
        add_token(database, name)
    writer = Writer(database)
    some = [*messages(20), {"type": "identify", "properties": {}}]
    assert writer.store([check(project, some, limits(time.time_ns() // 1000, 365)) for project in (1, 2)]) == 40
    refresh(database)
    delete_project(database, "a")
    assert [project.name for project in list_projects(database)] == ["b"]
    with database.reading() as connection:
        for table in METADATA.tables.values():
            if "project" in table.columns:
                of_a = connection.scalar(select(func.count()).where(table.c.project == 1))
                assert of_a == 0, table.name
        assert connection.scalar(select(func.count()).select_from(METADATA.tables["events"])) == 20


def test_what_is_on_its_way_to_a_deleted_project_does_not_meet_the_next_one(database: Database) -> None:
    key = add_project(database, "a")
    keys, writer = Keys(database), Writer(database)
    assert keys.look_up(key)
    batch = check(1, messages(20), limits(time.time_ns() // 1000, 365))
    assert writer.store([batch]) == 20
    refresh(database)
    delete_project(database, "a")
    add_project(database, "b")
    receiving = keys.remembered(key)  # another process deleted it a moment ago
    (project,) = list_projects(database)
    assert receiving is None or receiving.project != project.id
    assert writer.store([batch]) == Writer(database).store([batch]) == 0
    add_project(database, "c")
    delete_project(database, "b")
    delete_project(database, "c")
    add_project(database, "d")
    assert list_projects(database)[0].id == 4


def test_of_two_settings_of_which_one_is_bad_none_is_kept(database: Database) -> None:
    add_project(database, "a")
    for retention_days, smallest_group in ((1, -1), (0, 1), (1, 1_001)):
        with pytest.raises(UserError, match="must be"):
            change_project(database, "a", retention_days=retention_days, smallest_group=smallest_group)
    (project,) = list_projects(database)
    assert (project.retention_days, project.smallest_group) == (365, 3)
    change_project(database, "a", retention_days=7, smallest_group=0)
    (project,) = list_projects(database)
    assert (project.retention_days, project.smallest_group) == (7, 0)


def test_the_time_of_now_is_in_microseconds() -> None:
    assert abs(projects.now_us() / 1e6 - time.time()) < 10
