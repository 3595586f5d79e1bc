"""`make-metrics events`: the local events, as they would be sent, one JSON object a line."""

from __future__ import annotations

import json
import sys

from make_metrics.combine.event import envelope
from make_metrics.commands.reading import read, start_ns


def run(*, since: str | None) -> int:
    """Print the events; raises UserError for a bad `since` or a store that cannot be used."""
    begin = start_ns(since) or 0
    for placed in read(lambda store: store.events(since_ns=begin)):
        sys.stdout.write(json.dumps(envelope(placed.event)) + "\n")
    return 0
