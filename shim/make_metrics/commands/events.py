"""`make-metrics events`: print the stored events, by default one JSON object a line, as it is read from the store."""

from __future__ import annotations

import argparse
import json
import sys
from collections import deque
from collections.abc import Iterable
from typing import Any

from make_metrics.combine.event import envelope, timestamp
from make_metrics.combine.summary import StoredEvent
from make_metrics.commands.reading import combined_store, limited, start_ns
from make_metrics.report import formats
from make_metrics.report.local_time import local_time
from make_metrics.report.rows import duration
from make_metrics.report.table import Column

_SHOWN = 20  # events, where people read and no other number is given
FIELDS = (
    "run", "make", "message_id", "parent", "project", "directory", "target", "goal", "start_time", "duration_ms",
    "recipe_ms", "recipe_lines", "exit_status", "make_level", "parallel", "is_test", "cpu_us", "peak_kib",
)  # fmt: skip


def run(given: argparse.Namespace) -> int:
    """Print the events as JSON, a table, CSV or Markdown, run by run in the order of their start; 0.

    Of JSON and CSV only one run's events are in memory, or as many as `--limit` says; people get the newest 20 without
    it. Raises UserError for a bad `--since` or a store that cannot be used, UsageError for a bad `--limit`.
    """
    begin_ns = start_ns(given.since) or 0
    limited((), given.limit)  # a number below 1 is refused
    for_people = given.format in (formats.TABLE, formats.MARKDOWN)
    newest = given.limit or (_SHOWN if for_people else None)
    with combined_store() as store:
        events: Iterable[StoredEvent] = store.iterate_events(since_ns=begin_ns)
        if newest is not None:
            events = deque(events, maxlen=newest)
        if given.format == formats.JSON:
            for stored in events:
                sys.stdout.write(json.dumps({**envelope(stored.event), "local": _local(stored)}) + "\n")
        elif given.format == formats.CSV:
            formats.write_csv(FIELDS, map(_record, events))
        else:
            _write_table(given.format, events)
    return 0


def _local(stored: StoredEvent) -> dict[str, Any]:
    """What is never sent as it is: the whole name, and what joins events with each other and with the views."""
    event = stored.event
    return {
        "run": event.run,
        "make": event.make,
        "parent": event.parent_id or None,
        "project": stored.run_directory,
        "directory": stored.make_directory,
        "target": event.target,
        "cpu_us": event.cpu_us,
        "peak_kib": event.peak_kib,
    }


def _record(stored: StoredEvent) -> dict[str, Any]:
    event = stored.event
    names = ("message_id", "goal", "duration_ms", "recipe_ms", "recipe_lines", "exit_status", "make_level", "parallel")
    values = {name: getattr(event, name) for name in (*names, "is_test")}
    return {**_local(stored), **values, "start_time": timestamp(event.start_wall_ns)}


def _write_table(form: str, events: Iterable[StoredEvent]) -> None:
    columns = [
        Column("started"),
        Column("target", shrinks=True),
        Column("goal", dropped=2),
        Column("status", number=True, alarm=True),
        Column("duration", number=True),
        Column("directory", shrinks=True, dropped=1),
    ]
    rows = [
        [
            local_time(stored.event.start_wall_ns),
            stored.event.target,
            "goal" if stored.event.goal else "",
            str(stored.event.exit_status or "ok"),
            duration(stored.event.duration_ms),
            stored.make_directory,
        ]
        for stored in events
    ]
    formats.write_table(form, columns, rows)
