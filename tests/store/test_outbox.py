"""The outbox: what waits, what was sent, and what is dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from make_metrics.store import bounds, database
from make_metrics.store.bounds import DAY_NS
from make_metrics.store.outbox import KEEP_NS, KEEP_SENT_NS, Attempt, Batch, Entry, Outbox
from tests.support.store import waiting_for

NOW_NS = 1_790_000_000_000_000_000


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(database.connect(tmp_path / "store")) as connection:
        yield Outbox(connection)


def entry(name: str, *, sink: str = "s", project: str = "p", text: str = "") -> Entry:
    return Entry(sink, project, name, {"text": text})


def names(outbox: Outbox, sink: str = "s") -> list[str]:
    return [each.message_id for each in waiting_for(outbox, "p", sink)]


def test_a_message_that_is_queued_again_replaces_the_waiting_one(outbox: Outbox) -> None:
    outbox.put([entry("a", text="old"), entry("b")], now_ns=1)
    outbox.put([entry("a", text="new")], now_ns=2)
    assert [each.message["text"] for each in waiting_for(outbox, "p", "s")] == ["new", ""]


def test_an_accepted_message_still_waits_for_other_sinks(outbox: Outbox) -> None:
    outbox.put([entry("a"), entry("a", sink="t")], now_ns=1)
    outbox.accept(waiting_for(outbox, "p", "s"), Batch(5, "url", 1, b"body"))
    outbox.put([entry("a"), entry("a", sink="t")], now_ns=2)
    assert (names(outbox), names(outbox, "t")) == ([], ["a"])
    assert outbox.sent_batches("p") == [Batch(5, "url", 1, b"body", "s")]


def test_a_message_that_is_set_aside_is_not_queued_again(outbox: Outbox) -> None:
    outbox.put([entry("a")], now_ns=1)
    outbox.set_aside(entry("a"), "no")
    outbox.put([entry("a", text="new")], now_ns=2)
    assert names(outbox) == []
    assert outbox.refused("p") == {"no": 1}


def test_messages_are_dropped_after_fourteen_days(outbox: Outbox) -> None:
    outbox.put([entry("old")], now_ns=NOW_NS - KEEP_NS - 1)
    outbox.put([entry("young")], now_ns=NOW_NS - KEEP_NS)
    outbox.prune(now_ns=NOW_NS)
    assert names(outbox) == ["young"]
    assert outbox.dropped("p") == {"older than 14 days": 1}


def test_the_oldest_messages_are_dropped_when_there_are_too_many(outbox: Outbox) -> None:
    for number in range(10):
        outbox.put([entry(str(number))], now_ns=NOW_NS + number)
    outbox.prune(now_ns=NOW_NS, limit_events=7)
    outbox.prune(now_ns=NOW_NS, limit_events=6)
    assert names(outbox) == ["4", "5", "6", "7", "8", "9"]
    assert outbox.dropped("p") == {"more than 400,000 waited": 4}
    assert outbox.dropped("other") == {}


def test_the_oldest_messages_are_dropped_when_they_are_too_large(outbox: Outbox) -> None:
    for number in range(10):
        outbox.put([entry(str(number), text="x" * 88)], now_ns=NOW_NS + number)
    outbox.prune(now_ns=NOW_NS, limit_bytes=799)
    assert names(outbox) == ["3", "4", "5", "6", "7", "8", "9"]
    assert outbox.dropped("p") == {"more than 250 MB waited": 3}
    assert outbox.count("p").bytes == 700


def test_the_ledger_keeps_ninety_days(outbox: Outbox) -> None:
    for sent_ns in (NOW_NS - KEEP_SENT_NS - 1, NOW_NS - DAY_NS):
        outbox.put([entry("a")], now_ns=NOW_NS)
        if not waiting_for(outbox, "p", "s"):
            outbox.put([entry("b")], now_ns=NOW_NS)
        outbox.accept(waiting_for(outbox, "p", "s"), Batch(sent_ns, "url", 1, b"body"))
    outbox.prune(now_ns=NOW_NS)
    assert [batch.sent_ns for batch in outbox.sent_batches("p")] == [NOW_NS - DAY_NS]


def test_what_was_just_queued_is_not_dropped_yet(outbox: Outbox) -> None:
    outbox.put([entry("old", text="x" * 88)], now_ns=NOW_NS)
    outbox.put([entry(str(number), text="x" * 88) for number in range(9)], now_ns=NOW_NS + 1)
    outbox.prune(now_ns=NOW_NS, written_ns=NOW_NS + 1, limit_events=5, limit_bytes=500)
    assert names(outbox) == [str(number) for number in range(9)]
    outbox.prune(now_ns=NOW_NS, limit_events=5)
    assert len(names(outbox)) == 5


def test_the_ledger_has_a_bound_and_what_it_costs_is_counted(tmp_path: Path) -> None:
    with closing(database.connect(tmp_path / "store")) as connection:
        outbox = Outbox(connection)
        for number in range(10):
            body = b"".join(hashlib.sha256(b"%d" % (number * 1_000 + each)).digest() for each in range(100))
            outbox.accept([entry(str(number))], Batch(NOW_NS + number, "url", 1, body))
        outbox.prune(now_ns=NOW_NS, limit_ledger=13_500)
        assert [batch.sent_ns for batch in outbox.sent_batches("p")] == [NOW_NS + number for number in range(6, 10)]
        assert [(each.kind, each.count) for each in bounds.given_up(connection)] == [(bounds.SENT, 6)]


def test_ids_of_sent_events_have_a_bound_but_those_that_might_be_sent_again_stay(tmp_path: Path) -> None:
    with closing(database.connect(tmp_path / "store")) as connection:
        outbox = Outbox(connection)
        for number in range(10):
            outbox.accept([entry(str(number))], Batch(NOW_NS - number * 2 * DAY_NS, "url", 1, b"x"))
        outbox.prune(now_ns=NOW_NS, limit_delivered=2)
        rows = connection.execute("SELECT message_id FROM delivered ORDER BY message_id").fetchall()
        assert [name for (name,) in rows] == ["0", "1", "2", "3", "4"]
        assert [(each.kind, each.count) for each in bounds.given_up(connection)] == [(bounds.KNOWN, 5)]


def test_a_withdrawal_deletes_the_messages_of_one_project(outbox: Outbox) -> None:
    outbox.put([entry("a"), entry("b", project="q"), entry("c", sink="t")], now_ns=1)
    outbox.set_aside(entry("c", sink="t"), "no")
    outbox.note_attempt("p", Attempt("s", 1, "x", 2))
    assert outbox.withdraw("p") == 2
    assert (outbox.projects(), outbox.attempts("p"), outbox.count("p").aside) == (["q"], [], 0)


def test_messages_for_a_removed_sink_are_deleted(outbox: Outbox) -> None:
    outbox.put([entry("a"), entry("a", sink="t"), entry("b", sink="t", project="q")], now_ns=1)
    outbox.keep_only("p", ["s"])
    assert (names(outbox), names(outbox, "t"), outbox.projects()) == (["a"], [], ["p", "q"])


def test_reloaded_entries_keep_their_order_and_have_their_present_message(outbox: Outbox) -> None:
    outbox.put([entry(name, text="old") for name in "abcd"] + [entry("a", sink="t"), entry("e", project="q")], now_ns=1)
    entries = [*waiting_for(outbox, "p", "s")][::-1] + waiting_for(outbox, "q", "s")
    outbox.put([entry("c", text="new")], now_ns=2)
    outbox.set_aside(entry("d"), "no")
    outbox.accept([entry("b")], Batch(5, "url", 1, b"body"))
    reloaded = [(each.project, each.message_id, each.message["text"]) for each in outbox.reload(entries)]
    assert reloaded == [("p", "c", "new"), ("p", "a", "old"), ("q", "e", "")]
    assert outbox.reload([]) == []
