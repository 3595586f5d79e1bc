"""From messages to rows: only what the registry declares is kept, and every other thing is counted."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_metrics.properties.property import Property
from make_metrics.properties.registry import CHOICE, ENVELOPE, OPTIONAL, PROPERTIES
from make_metrics.server.receiving.checks import TESTS, fast_test
from make_metrics.server.receiving.messages import MESSAGE_BYTES, Limits, check, limits
from tests.support.team_receiver import message

PERSON = "2f4a3a0e-6b0c-4d34-9c3a-0f2a51b9d7e1"
NOW_US = time.time_ns() // 1000
BOUNDS = limits(NOW_US, 365)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2**63, -(2**70), 1.5, float("nan"), "", "no", "make", "in", "x" * 51, "a b", "a\n",
    "\0", "\ud800", "<script>", "'; DROP TABLE events;--", "../etc", "/etc", "a/../b", "a/b", [], {},
    "1999-12-31T23:59:60.000000+00:00",
]  # fmt: skip


@pytest.mark.parametrize("declaration", [*CHOICE, *PROPERTIES, *OPTIONAL, *ENVELOPE], ids=lambda entry: entry.name)
def test_the_fast_test_says_what_the_declaration_says(declaration: Property) -> None:
    fast = fast_test(declaration)
    for value in (*ODD, declaration.example):
        assert fast(value) is declaration.allows(value), value


def test_a_message_of_ours_is_kept_whole() -> None:
    batch = check(1, [message(PERSON, os="linux", jobs=4, label_team="build")], BOUNDS)
    assert (len(batch.rows), batch.refused) == (1, {})
    assert batch.rows[0].cut == ("linux", "", 4, 1, 1)


@pytest.mark.parametrize(("jobs", "of_cut"), [(0, 0), (1, 1), (3, 2), (63, 32), (64, 64), (1_000_000, 64), (None, -1)])
def test_a_cut_has_few_numbers_of_jobs(jobs: int | None, of_cut: int) -> None:
    batch = check(1, [message(PERSON, jobs=jobs)], BOUNDS)
    assert (batch.rows[0].cut.jobs, batch.rows[0].jobs) == (of_cut, jobs)


@pytest.mark.parametrize("name", sorted(TESTS))
def test_a_value_that_is_not_declared_is_left_out_and_counted(name: str) -> None:
    for value in ODD:
        sent = message(PERSON)
        sent["properties"][name] = value
        batch = check(1, [sent], BOUNDS)
        if TESTS[name](value):
            assert batch.refused.total() == (name == "start_time"), value
        elif name == "command":
            assert not batch.rows
        else:
            assert (len(batch.rows), [key[0] for key in batch.refused]) == (1, [name]), value


@pytest.mark.parametrize("name", ["evil", "label_", "label_A", "x" * 60, "a\nb", "<b>", "'; DROP", "", "\0"])
def test_a_property_that_is_not_declared_is_counted_and_its_value_is_not_kept(name: str) -> None:
    sent = message(PERSON)
    sent["properties"][name] = "secret-value"
    batch = check(1, [sent], BOUNDS)
    assert len(batch.rows) == 1
    assert batch.refused.total() == 1
    assert "secret-value" not in repr(batch)
    assert all(key[0].isprintable() and len(key[0]) <= 50 for key in batch.refused)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"anonymousId": None}, "anonymousId"),
        ({"anonymousId": "me@example.org"}, "anonymousId"),
        ({"anonymousId": PERSON.upper()}, "anonymousId"),
        ({"messageId": None}, "messageId"),
        ({"messageId": "a\nb"}, "messageId"),
        ({"messageId": "x" * 101}, "messageId"),
        ({"event": None}, "event"),
        ({"event": "x\0"}, "event"),
        ({"type": "identify"}, "no track message"),
        ({"properties": None}, "no properties"),
        ({"properties": []}, "no properties"),
        ({"context": {"x": "y" * MESSAGE_BYTES}}, "longer than 32 KiB"),
    ],
)
def test_a_message_without_what_it_needs_is_refused_as_a_whole(changes: dict[str, Any], words: str) -> None:
    batch = check(1, [{**message(PERSON), **changes}, message(PERSON)], BOUNDS)
    assert len(batch.rows) == 1
    ((name, reason),) = batch.refused
    assert (name, words in reason) == ("", True)


@pytest.mark.parametrize("sent", [None, 1, "x", [], [[]], {}])
def test_what_is_no_message_is_refused(sent: object) -> None:
    batch = check(1, [sent], BOUNDS)
    assert (batch.rows, batch.refused.total()) == ([], 1)


@pytest.mark.parametrize(
    ("us", "is_kept"),
    [
        (BOUNDS.oldest_us, True),
        (BOUNDS.oldest_us - 1, False),
        (BOUNDS.newest_us, True),
        (BOUNDS.newest_us + 1, False),
        (0, False),
        (NOW_US, True),
    ],
    ids=["oldest", "too-old", "newest", "too-new", "1970", "now"],
)
def test_only_times_that_a_project_keeps_are_taken(us: int, is_kept: bool) -> None:
    from make_metrics.combine.event import timestamp

    sent = message(PERSON, start_time=timestamp(us * 1_000))
    batch = check(1, [sent], BOUNDS)
    assert (len(batch.rows), batch.refused.total()) == ((1, 0) if is_kept else (0, 1))


def test_an_id_of_another_form_always_becomes_the_same_id() -> None:
    ids = [
        check(1, [{**message(PERSON), "messageId": text}], BOUNDS).rows[0].message_id
        for text in ("node-next-1700000000000-0f2a51b9", "node-next-1700000000000-0f2a51b9", "node-next-2")
    ]
    assert ids[0] == ids[1] != ids[2]


@given(JSON)
def test_nothing_makes_it_fail(value: Any) -> None:
    batch = check(1, [value, {"properties": value}, {**message(PERSON), "properties": value}], Limits(0, 2**62))
    assert len(batch.rows) + batch.refused.total() >= 3


@given(st.dictionaries(st.sampled_from(sorted({*TESTS, "evil"})), JSON, max_size=6))
def test_what_is_kept_is_what_the_registry_allows(properties: dict[str, Any]) -> None:
    batch = check(1, [{**message(PERSON), "properties": properties}], Limits(0, 2**62))
    for row in batch.rows:
        for name, value in json.loads(row.rest or "{}").items():
            assert TESTS[name](value)


def test_a_deep_message_is_refused_and_not_followed() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    batch = check(1, [{**message(PERSON), "context": deep}], BOUNDS)
    assert (batch.rows, batch.refused.total()) == ([], 1)
    while deep:  # freeing it at once would end the interpreter
        deep = deep[0]


def test_a_local_stores_names_are_taken_where_they_are_wanted() -> None:
    sent = message(PERSON, target="out dir/<b>.o")
    assert not check(1, [sent], BOUNDS).rows
    assert check(1, [sent], BOUNDS, any_command=True).rows[0].target == "out dir/<b>.o"
