"""`make-metrics sent`: every batch that a sink of this project accepted in the last 90 days, as it was sent."""

from __future__ import annotations

import sys

from shim.commands.here import project_at, use
from shim.event import timestamp
from shim.outbox import Outbox
from shim.paths import Paths
from shim.sinks.kinds import readable, request_line


def run(*, directory: str | None) -> int:
    """Print time and address of each batch, then its bytes; 0. Raises UserError if the store cannot be used."""
    paths = Paths.from_environment()
    project = project_at(directory)
    found = use(paths, lambda connection: Outbox(connection).sent(project.place))
    for batch in found:
        count = f"{batch.events} event{'s' * (batch.events != 1)}"
        sys.stdout.write(f"{timestamp(batch.sent_ns)} {request_line(batch.url)} {count}\n")
        sys.stdout.write(readable(batch.kind, batch.url, batch.body))
    if not found:
        sys.stdout.write("Nothing was sent from this project in the last 90 days.\n")
    return 0
