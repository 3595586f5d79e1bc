"""`make-metrics report`: print what each target cost."""

from __future__ import annotations

import argparse
import sys

from make_metrics.commands.reading import combined_store, limited, selection, within
from make_metrics.commands.why_empty import why_empty
from make_metrics.files.paths import Paths
from make_metrics.report import formats
from make_metrics.report.rows import FIELDS, document, record, table
from make_metrics.store.questions.costs import costs
from make_metrics.store.questions.selection import Selection, any_run

NOTE = (
    "own, median, p95 and last: the target's own lines, with the makes that they start. "
    "whole: the median of a goal with its prerequisites."
)


def run(given: argparse.Namespace) -> int:
    """Print the report as a table, JSON, CSV or Markdown; 0.

    Raises UsageError for a bad time or number, UserError for a store that cannot be used.
    """
    project = within(given)
    chosen = selection(given, project)
    with combined_store() as store:
        found = costs(
            store.connection, chosen, target=given.target or "", failed=given.failed, sort=given.sort or "own"
        )
        everything = Selection(since_ns=chosen.since_ns, until_ns=chosen.until_ns)
        elsewhere = not found and bool(project) and any_run(store.connection, everything)
    shown = limited(found, given.limit)
    if given.json or given.format == formats.JSON:
        until_ns = chosen.until_ns if given.until else None
        since_ns = chosen.since_ns if given.since is not None else None
        formats.write_json(document(shown, since_ns=since_ns, until_ns=until_ns, project=project))
    elif given.format == formats.CSV:
        formats.write_csv(FIELDS, [record(cost) for cost in shown])
    elif shown:
        columns, rows = table(shown)
        more = f"{len(shown)} of {len(found)} rows. " if len(shown) < len(found) else ""
        formats.write_table(given.format, columns, rows, note=more + NOTE)
    else:
        sys.stdout.write(f"No events {_reason(given, elsewhere)}.\n")
    return 0


def _reason(given: argparse.Namespace, elsewhere: bool) -> str:
    if elsewhere:
        return "of this project match: --all takes those of all projects"
    if given.target or given.goal or given.failed:
        return "match: ask for less, or a longer time"
    if given.since is not None:
        return f"since {given.since}: give an earlier time"
    if given.until:
        return f"until {given.until}: give a later time"
    return f"yet: {why_empty(Paths.from_environment())}"
