"""A store whose tables have several pages each."""

from __future__ import annotations

import sqlite3

from make_metrics.combine.record import Contents
from make_metrics.combine.run import events_of, gather
from make_metrics.combine.summary import summarise
from make_metrics.store.outbox import Batch, Entry, Outbox
from make_metrics.store.store import Store
from tests.support.records import line

RUNS, EVENTS, DELIVERED, RECORDS = 60, 1_200, 1_000, 60
PAGE = 4096


def fill(connection: sqlite3.Connection) -> None:
    store, outbox = Store(connection), Outbox(connection)
    with store.transaction():
        for number in range(RUNS):
            run = gather(f"r{number}", Contents(lines=[line(f"t{n}", make=f"r{number}", start=n) for n in range(20)]))
            events = events_of(run)
            store.put(run, summarise(run, events, fallback_ns=0), events, now_ns=0)
            store.mark(f"{number:x}" * 8, size=number, now_ns=number)
        sent = [Entry("segment https://a", "/p", f"{number * 7919 % 100_003:032x}", {}) for number in range(DELIVERED)]
        outbox.accept(sent, Batch(1, "https://a", DELIVERED, b"{}"))
        outbox.put([Entry("segment https://a", "/p", "waits", {"properties": {}})], now_ns=1)


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    tables = ("builds", "targets", "delivered", "records", "outbox")
    return {name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}  # noqa: S608


ALL = {"builds": RUNS, "targets": EVENTS, "delivered": DELIVERED, "records": RECORDS, "outbox": 1}
