"""`make-metrics report`: print what each target cost."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime

from make_metrics.commands.project import project_at
from make_metrics.commands.reading import combined_store, start_ns
from make_metrics.commands.warn import warn
from make_metrics.commands.why_empty import why_empty
from make_metrics.files.paths import Paths
from make_metrics.report.rows import Row, document, duration, rows

NOTE = "The times overlap: a goal's include its prerequisites', and a target's include those of the makes it starts."


def run(given: argparse.Namespace) -> int:
    """Print the report as a table or as JSON; 0.

    Raises UserError for a bad `--since` or a store that cannot be used.
    """
    paths = Paths.from_environment()
    begin_ns = start_ns(given.since)
    warn(project_at(None).problems)
    with combined_store() as store:
        targets = rows(store.events(since_ns=begin_ns or 0))
    if given.json:
        sys.stdout.write(json.dumps(document(targets, since_ns=begin_ns), indent=2) + "\n")
    elif targets:
        _show_table(targets)
    else:
        reason = f"since {given.since}: give an earlier time" if given.since else f"yet: {why_empty(paths)}"
        sys.stdout.write(f"No events {reason}.\n")
    return 0


def _show_table(targets: list[Row]) -> None:
    from make_metrics.report.table import Column, show

    numbers = [Column(name, number=True) for name in ("runs", "failed", "total", "median", "p95", "last")]
    columns = [Column("target", folds=True), Column("goal"), *numbers, Column("when")]
    cells = [_cells(row) for row in targets]
    # These columns distinguish targets of the same name: show each only if its values differ.
    for heading, values in (
        ("level", [str(row.level) for row in targets]),
        ("directory", [row.directory for row in targets]),
        ("project", [row.project for row in targets]),
    ):
        if len(set(values)) > 1:
            columns.append(Column(heading, number=heading == "level", folds=heading != "level"))
            cells = [[*line, value] for line, value in zip(cells, values, strict=True)]
    show(columns, cells, note=NOTE)


def _cells(row: Row) -> list[str]:
    last = datetime.fromisoformat(row.last_start).astimezone().strftime("%Y-%m-%d %H:%M")
    times = [duration(ms) for ms in (row.total_ms, row.median_ms, row.p95_ms, row.last_ms)]
    return [row.target, "goal" if row.goal else "", str(row.runs), str(row.failures), *times, last]
