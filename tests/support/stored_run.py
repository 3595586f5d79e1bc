"""Writing a run into the store, as a sweep does."""

from __future__ import annotations

from make_metrics.combine.run import Run, events_of
from make_metrics.combine.summary import summarise
from make_metrics.store.store import Store
from tests.support.records import WALL_NS


def put(store: Store, run: Run, *, now_ns: int = WALL_NS) -> None:
    """Write a run and its events in one transaction."""
    events = events_of(run)
    with store.transaction():
        store.put(run, summarise(run, events, fallback_ns=0), events, now_ns=now_ns)
