"""`make-metrics events`: print the stored events as they would be sent, one JSON object a line."""

from __future__ import annotations

import argparse
import json
import sys

from make_metrics.combine.event import envelope
from make_metrics.commands.reading import combined_store, start_ns


def run(given: argparse.Namespace) -> int:
    """Print the events; 0. Raises UserError for a bad `--since` or a store that cannot be used."""
    begin_ns = start_ns(given.since) or 0
    with combined_store() as store:
        events = store.events(since_ns=begin_ns)
    for stored in events:
        sys.stdout.write(json.dumps(envelope(stored.event)) + "\n")
    return 0
