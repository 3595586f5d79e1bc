"""`make-metrics events`: print the stored events, one JSON object a line, as it is read from the store."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from make_metrics.combine.event import envelope
from make_metrics.combine.summary import StoredEvent
from make_metrics.commands.reading import combined_store, start_ns


def run(given: argparse.Namespace) -> int:
    """Print the events, run by run in the order of their start; 0.

    Only one run's events are in memory. Raises UserError for a bad `--since` or a store that cannot be used.
    """
    begin_ns = start_ns(given.since) or 0
    with combined_store() as store:
        for stored in store.iterate_events(since_ns=begin_ns):
            sys.stdout.write(json.dumps({**envelope(stored.event), "local": _local(stored)}) + "\n")
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
