"""`make-metrics schema`: everything that an event may carry, as JSON Schema or as tables."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from make_metrics.commands.asked_metrics import metrics
from make_metrics.commands.project import project_at, tell
from make_metrics.project.settings import NAME
from make_metrics.properties.property import Property, shown
from make_metrics.properties.registry import CHOICE, ENVELOPE, PROPERTIES
from make_metrics.properties.trace import TRACE
from make_metrics.report import json_schema


def run(given: argparse.Namespace) -> int:
    """Print the schema; 0. Raises UserError for a bad directory or home.

    It has all metrics that are built in, and of other distributions those that the project asks for.
    """
    project = project_at(given.directory)
    tell(project.problems)
    optional = metrics(project)
    if given.json:
        sys.stdout.write(json.dumps(json_schema.document(optional), indent=2) + "\n")
        return 0
    asked = project.settings.metrics if project.settings else ()
    _table("Each target's event has", PROPERTIES)
    _table(f'If the project asks for it (metrics = ["..."] in {NAME}) and you have agreed, also', optional, asked)
    _table("The event of a yes or a no has, of a target's, only those of git, the time and the name, and", CHOICE[:1])
    _table("Around each event is", ENVELOPE)
    _table("With each event that a receiver of type otlp gets, its place in the trace of its run is", TRACE)
    return 0


def _table(heading: str, entries: Sequence[Property], asked: Sequence[str] | None = None) -> None:
    from make_metrics.report.table import Column, show

    columns = [Column("property"), Column("type"), Column("values", folds=True), Column("why", folds=True),
               Column("example", folds=True)]  # fmt: skip
    cells = [[entry.name, entry.kind, entry.values, entry.purpose, shown(entry.example)] for entry in entries]
    if asked is not None:
        columns.append(Column("asked for"))
        cells = [[*row, "yes" if entry.name in asked else "no"] for row, entry in zip(cells, entries, strict=True)]
    sys.stdout.write(f"{heading}\n\n")
    sys.stdout.flush()
    show(columns, cells)
    sys.stdout.write("\n")
