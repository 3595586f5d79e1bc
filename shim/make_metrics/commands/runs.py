"""`make-metrics runs`: print the runs of make."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict

from make_metrics.analysis.run_name import short_names
from make_metrics.combine.event import timestamp
from make_metrics.combine.summary import Summary
from make_metrics.commands.reading import combined_store, start_ns
from make_metrics.commands.why_empty import why_empty
from make_metrics.files.paths import Paths
from make_metrics.report.rows import duration
from make_metrics.store import builds


def run(given: argparse.Namespace) -> int:
    """Print the runs as a table or as JSON; 0. Raises UserError for a bad `--since` or a store that cannot be used."""
    paths = Paths.from_environment()
    begin_ns = start_ns(given.since) or 0
    with combined_store() as store:
        summaries = store.runs(since_ns=begin_ns)
        names = short_names(builds.run_ids(store.connection))
    if given.json:
        sys.stdout.write(json.dumps([_document(summary, names) for summary in summaries], indent=2) + "\n")
    elif summaries:
        _show_table(summaries, names)
    else:
        reason = f"since {given.since}: give an earlier time" if given.since else f"yet: {why_empty(paths)}"
        sys.stdout.write(f"No runs {reason}.\n")
    return 0


def _document(summary: Summary, names: Mapping[str, str]) -> dict[str, object]:
    fields = {"run": names.get(summary.id), **asdict(summary)}
    fields["start_time"] = timestamp(fields.pop("started_ns"))
    return fields


def _show_table(summaries: list[Summary], names: Mapping[str, str]) -> None:
    from make_metrics.report.table import Column, local_time, show

    columns = [
        Column("run"),
        Column("started"),
        Column("goals", folds=True),
        Column("status", number=True),
        Column("duration", number=True),
        Column("targets", number=True),
        Column("directory", folds=True),
    ]
    rows = [
        (
            names.get(summary.id, ""),
            local_time(summary.started_ns),
            " ".join(summary.goals),
            str(summary.exit_status),
            duration(summary.duration_ms),
            str(summary.targets),
            summary.directory,
        )
        for summary in summaries
    ]
    show(columns, rows)
