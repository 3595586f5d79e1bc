"""`make-metrics schema`: print what an event may contain, as JSON Schema or as tables."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from make_metrics.commands.asked_metrics import metrics
from make_metrics.commands.project import project_at
from make_metrics.commands.prose import show, show_after
from make_metrics.commands.warn import warn
from make_metrics.project.settings import NAME
from make_metrics.properties.labels import labels
from make_metrics.properties.property import Property, shown
from make_metrics.properties.registry import CHOICE, ENVELOPE, PROPERTIES
from make_metrics.properties.trace import TRACE
from make_metrics.report import json_schema


def run(given: argparse.Namespace) -> int:
    """Print the schema, with all built-in metrics and those others that the project asks for; 0.

    Raises UserError for a bad directory or home.
    """
    project = project_at(given.directory)
    warn(project.problems)
    optional = metrics(project)
    if given.json:
        sys.stdout.write(json.dumps(json_schema.document(optional, labels(project.settings)), indent=2) + "\n")
        return 0
    asked_for = project.settings.metrics if project.settings else ()
    shared = ", ".join(entry.name for entry in CHOICE if entry in PROPERTIES)
    _show_table("Properties of each target's event:", PROPERTIES)
    _show_table(f'Added if the project asks for them (metrics = ["..."] in {NAME}) and you agree:', optional, asked_for)
    _show_table(
        f"The event of a yes or a no has {shared}, and:", [entry for entry in CHOICE if entry not in PROPERTIES]
    )
    if listed := labels(project.settings):
        _show_table(f"Labels that this project gives all its events (labels = {{ ... }} in {NAME}):", listed)
    _show_table("Around the properties of each event:", ENVELOPE)
    _show_table("Receivers of type otlp also get the place of each event in the trace of its run:", TRACE)
    return 0


def _show_table(heading: str, entries: Sequence[Property], asked_for: Sequence[str] | None = None) -> None:
    """A table; on a terminal a block of lines for each property, since its texts need more room than a column has."""
    if sys.stdout.isatty():
        show(f"{heading}\n\n")
        for entry in entries:
            asked = f", {'' if entry.name in asked_for else 'not '}asked for" if asked_for is not None else ""
            show(f"{entry.name} ({entry.kind}{asked})")
            texts = {"why": entry.purpose, "values": entry.values, "example": shown(entry.example)}
            show_after((f"  {label + ':':8} ", text) for label, text in texts.items())
        sys.stdout.write("\n")
        return
    from make_metrics.report.table import Column
    from make_metrics.report.table import show as show_table

    columns = [Column(heading) for heading in ("property", "type", "values", "why", "example")]
    cells = [[entry.name, entry.kind, entry.values, entry.purpose, shown(entry.example)] for entry in entries]
    if asked_for is not None:
        columns.append(Column("asked for"))
        cells = [[*row, "yes" if entry.name in asked_for else "no"] for row, entry in zip(cells, entries, strict=True)]
    sys.stdout.write(f"{heading}\n\n")
    sys.stdout.flush()
    show_table(columns, cells)
    sys.stdout.write("\n")
