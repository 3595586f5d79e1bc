"""Which targets are taken for files, and which metrics a message has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from make_metrics.deliver.message import looks_like_file, message
from make_metrics.properties.registry import BUILT_IN, check
from tests.support.events import EVENT, ID, message_with


@pytest.mark.parametrize(
    "target", ["dev.pull", "dev.provision.lms", "test", "dev.ps", "a-b_c", "v1.2", "build", "öl", "x.c-y"]
)
def test_a_name_that_people_give_a_target_does_not_look_like_a_file(target: str) -> None:
    assert not looks_like_file(target)
    assert check(message_with(target=target)) == []


@pytest.mark.parametrize("target", ["main.o", "a/b", "./x", ".env", "~/x", "report.PDF", "lib.tar.gz", "C:\\x", "x.py"])
def test_a_path_or_a_name_with_a_files_suffix_looks_like_a_file(target: str) -> None:
    assert looks_like_file(target)


def test_the_name_of_a_file_in_makes_directory_looks_like_a_file() -> None:
    assert looks_like_file("program", frozenset({"program"}))
    assert not looks_like_file("install", frozenset({"INSTALL"}))


def test_a_message_has_no_metric_that_was_not_agreed_to() -> None:
    event = replace(EVENT, metrics={"os": "linux", "jobs": 4})
    jobs = BUILT_IN["jobs"].declaration()
    with_jobs = message(event, name="n", anonymous_id=ID, metrics=[jobs])
    assert set(with_jobs["properties"]) - set(message_with()["properties"]) == {"jobs"}  # type: ignore[call-overload]
    assert check(with_jobs, metrics=[jobs]) == []
    assert check(with_jobs) == ["jobs: is not declared"]


def test_a_message_has_no_value_that_a_metrics_declaration_does_not_allow() -> None:
    jobs = BUILT_IN["jobs"].declaration()
    without_jobs = message(replace(EVENT, metrics={"jobs": -1}), name="n", anonymous_id=ID, metrics=[jobs])
    assert "jobs" not in without_jobs["properties"]
