"""`make-metrics sent`: print each batch that a sink of this project accepted in the last 90 days, as it was sent."""

from __future__ import annotations

import argparse
import json
import sys

from make_metrics.combine.event import timestamp
from make_metrics.commands.project import opened_store, project_at
from make_metrics.files.paths import Paths
from make_metrics.sinks.kinds import readable, request_line
from make_metrics.store.outbox import Outbox

VERSION = 1  # of each object: changes if a field changes its meaning or goes away


def run(given: argparse.Namespace) -> int:
    """Print each batch with its time and address, or all as JSON; 0. Raises UserError if the store cannot be used."""
    paths = Paths.from_environment()
    project = project_at(given.directory)
    with opened_store(paths) as store:
        batches = Outbox(store.connection).sent_batches(project.path)
    if given.json:
        document = [
            {"version": VERSION, "time": timestamp(batch.sent_ns), "address": batch.url, "sink": batch.kind,
             "events": batch.events, "body": readable(batch.kind, batch.url, batch.body)}
            for batch in batches
        ]  # fmt: skip
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return 0
    for batch in batches:
        count = f"{batch.events} event{'s' * (batch.events != 1)}"
        sys.stdout.write(f"{timestamp(batch.sent_ns)} {request_line(batch.url)} {count}\n")
        sys.stdout.write(readable(batch.kind, batch.url, batch.body))
    if not batches:
        sys.stdout.write("Nothing was sent from this project in the last 90 days.\n")
    return 0
