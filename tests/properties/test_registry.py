"""The registry: every declaration, and the check of messages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_metrics.combine.event import properties
from make_metrics.deliver.outgoing import sendable_message
from make_metrics.project.project import Project, project_of
from make_metrics.project.target_names import TargetNames
from make_metrics.properties.property import Property
from make_metrics.properties.registry import CHOICE, ENVELOPE, OPTIONAL, PROPERTIES, check
from tests.support.events import EVENT, ID, message_with
from tests.support.project import SOURCE
from tests.support.settings_files import write_settings


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_settings(tmp_path)
    return project_of(tmp_path)


def test_an_event_has_exactly_the_declared_properties() -> None:
    assert list(properties(replace(EVENT, parent_id=ID))) == [entry.name for entry in PROPERTIES]
    assert list(properties(EVENT)) == [entry.name for entry in PROPERTIES if entry.name != "parent_id"]
    assert set(message_with()) == {entry.name for entry in ENVELOPE} | {"properties"}
    assert check(message_with()) == []


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
    "changes",
    [
        {"target": "a b"}, {"target": "a\nb"}, {"target": "$x"}, {"target": "me@example.org"}, {"target": ""},
        {"target": "a/b"}, {"target": "C:\\x"}, {"duration_ms": -1}, {"duration_ms": 2**44}, {"exit_status": 256},
        {"exit_status": -128}, {"git_commit_time": "yesterday"}, {"git_commit_time": "2021-05-17T19:44:09+02:00 x"},
        {"is_test": "a b"}, {"is_test": "x" * 51}, {"goal": 1}, {"parallel": "no"}, {"make_level": -1},
        {"message_id": "x"}, {"recipe_ms": 1.5},
    ],
    ids=str,
)  # fmt: skip
def test_a_value_that_its_declaration_does_not_allow_is_refused(changes: dict[str, object]) -> None:
    assert len(check(message_with(**changes))) == 1


def test_a_property_that_is_not_declared_is_refused() -> None:
    complete = message_with()
    assert check({**complete, "context": {}}) == ["context: is not declared"]
    assert check({**complete, "properties": {**properties(EVENT), "path": "x"}}) == ["path: is not declared"]
    assert check({**complete, "properties": None}) == ["properties: missing"]
    del complete["anonymousId"]
    assert check(complete) == ["anonymousId: is missing"]


@given(st.text(max_size=60))
def test_a_targets_name_may_have_plain_characters_only(text: str) -> None:
    if not check(message_with(target=text)):
        assert not set(text[:50]) & set(" \t\r\n/\\@$'\"`|&;<>(){}[]*?!#=,~^")


@pytest.mark.parametrize("target", ["/etc/passwd", "../x", "a/../../b", "~/x", "a/b c", "a//b/.."])
def test_a_path_that_leaves_the_project_is_never_sent(project: Project, target: str) -> None:
    names = TargetNames(frozenset({target, "a/b.o"}))

    def message(name: str) -> dict[str, object] | None:
        event = replace(EVENT, target=name)
        return sendable_message(event, project, anonymous_id=ID, file_names=frozenset(), names=names)

    assert message(target) is None
    assert message("a/b.o") is not None


def test_no_text_of_a_foreign_metric_holds_a_name_that_no_makefile_spells(project: Project) -> None:
    def metric(name: str, **options: Any) -> Property:
        words = {"values": "a text", "purpose": "p", "sources": (), "always": False, "provider": "queue-metrics 1.0"}
        return Property(name=name, kind="string", **words, **options)  # type: ignore[arg-type]

    free, closed = metric("free", pattern="[ -~]*", example="x"), metric("closed", choices=("db1", "x"), example="x")
    names = TargetNames(frozenset({"dev.pull", "ab"}))

    def sent(text: str, *typed: str) -> dict[str, Any]:
        event = replace(EVENT, metrics={"free": text, "closed": "db1"})
        message = sendable_message(
            event, project, anonymous_id=ID, file_names=frozenset(), names=names, metrics=(free, closed), typed=typed
        )
        assert message is not None
        return {name: message["properties"].get(name) for name in ("free", "closed")}

    assert sent("took ssh-db1 long", "ssh-db1") == {"free": None, "closed": "db1"}
    assert sent("db", "db") == {"free": None, "closed": "db1"}
    assert sent("dev.pull ab", "dev.pull", "ab", "d") == {"free": "dev.pull ab", "closed": "db1"}
