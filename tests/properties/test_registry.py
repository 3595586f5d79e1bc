from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_metrics.combine.event import properties
from make_metrics.deliver import choice_event
from make_metrics.deliver.message import looks_like_file
from make_metrics.deliver.outgoing import sendable_message
from make_metrics.project.project import Project, project_of
from make_metrics.properties.registry import CHOICE, ENVELOPE, OPTIONAL, PROPERTIES, check
from tests.support.events import EVENT, ID, message_with
from tests.support.project import SOURCE
from tests.support.records import WALL_NS
from tests.support.settings_files import write_settings


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_settings(tmp_path)
    return project_of(tmp_path)


def test_the_events_properties_are_the_registrys() -> None:
    assert list(properties(EVENT)) == [entry.name for entry in PROPERTIES]
    assert set(message_with()) == {entry.name for entry in ENVELOPE} | {"properties"}
    assert check(message_with()) == []


def test_a_choice_is_declared_too(project: Project) -> None:
    for said in ("in", "out"):
        found = choice_event.entries(project, choice=said, anonymous_id=ID, now_ns=WALL_NS)
        assert len(found) == 2
        assert set(found[0].message["properties"]) <= {entry.name for entry in CHOICE}


def test_every_declaration_is_complete_and_allows_its_example() -> None:
    for entry in (*PROPERTIES, *OPTIONAL, *CHOICE, *ENVELOPE):
        assert entry.allows(entry.example), entry
        assert entry.purpose
        assert entry.values
        assert entry.sources
        texts = [(SOURCE / source).read_text() for source in entry.sources]
        assert any(entry.name in text for text in texts), entry
        assert entry.kind in ("string", "integer", "boolean")
        assert not entry.allows(None)
        assert entry.kind == "boolean" or not entry.allows(True)


@pytest.mark.parametrize(
    "more",
    [
        {"target": "a b"}, {"target": "a\nb"}, {"target": "$x"}, {"target": "me@example.org"}, {"target": ""},
        {"target": "a/b"}, {"target": "C:\\x"}, {"duration_ms": -1}, {"duration_ms": 2**44}, {"exit_status": 256},
        {"exit_status": -128}, {"git_commit_time": "yesterday"}, {"git_commit_time": "2021-05-17T19:44:09+02:00 x"},
        {"is_test": "a b"}, {"is_test": "x" * 51}, {"goal": 1}, {"parallel": "no"}, {"make_level": -1},
        {"message_id": "x"}, {"recipe_ms": 1.5},
    ],
    ids=str,
)  # fmt: skip
def test_a_value_of_another_shape_is_not_sent(more: dict[str, object]) -> None:
    assert len(check(message_with(**more))) == 1


def test_what_is_not_declared_is_not_sent() -> None:
    found = message_with()
    assert check({**found, "context": {}}) == ["context: is not declared"]
    assert check({**found, "properties": {**properties(EVENT), "path": "x"}}) == ["path: is not declared"]
    assert check({**found, "properties": None}) == ["properties: missing"]
    del found["anonymousId"]
    assert check(found) == ["anonymousId: is missing"]


@given(st.text(max_size=60))
def test_no_text_gets_through_a_name_but_plain_words(text: str) -> None:
    if not check(message_with(target=text)):
        assert not set(text[:50]) & set(" \t\r\n/\\@$'\"`|&;<>(){}[]*?!#=,~^")


@pytest.mark.parametrize(
    "target", ["dev.pull", "dev.provision.lms", "test", "dev.ps", "a-b_c", "v1.2", "build", "öl", "x.c-y"]
)
def test_what_people_do_is_no_file(target: str) -> None:
    assert not looks_like_file(target)
    assert check(message_with(target=target)) == []


@pytest.mark.parametrize("target", ["main.o", "a/b", "./x", ".env", "~/x", "report.PDF", "lib.tar.gz", "C:\\x", "x.py"])
def test_what_files_are_called_is_a_file(target: str) -> None:
    assert looks_like_file(target)


def test_what_lies_beside_the_makefile_is_a_file() -> None:
    assert looks_like_file("program", frozenset({"program"}))
    assert not looks_like_file("install", frozenset({"INSTALL"}))


@pytest.mark.parametrize("target", ["/etc/passwd", "../x", "a/../../b", "~/x", "a/b c", "a//b/.."])
def test_a_path_that_leaves_the_project_is_never_sent(project: Project, target: str) -> None:
    assert sendable_message(replace(EVENT, target=target), project, anonymous_id=ID, file_names=frozenset()) is None
    assert (
        sendable_message(replace(EVENT, target="a/b.o"), project, anonymous_id=ID, file_names=frozenset()) is not None
    )
