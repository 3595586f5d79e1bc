"""`make-metrics report`: print what each target cost, or how long people waited day by day."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from make_metrics.commands.prose import show
from make_metrics.commands.reading import EACH, combined_store, limited, selection, within
from make_metrics.errors import UsageError
from make_metrics.files.paths import Paths
from make_metrics.report import formats, rows
from make_metrics.report.many import waits as waits_report
from make_metrics.store.questions.costs import Cost, costs
from make_metrics.store.questions.selection import Selection, any_run
from make_metrics.store.questions.waits import Wait, waits

NOTE = (
    "own, median, p95 and last: the target's own lines, with the makes that they start. "
    "whole: the median of a goal with its prerequisites."
)
TREND = " trend: the medians of the latest days on which it was made."
FLAKY = " flaky: failed, then passed on the same commit; what was changed and not committed looks the same."


def run(given: argparse.Namespace) -> int:
    """Print the report as a table, JSON, CSV or Markdown; 0.

    Raises UsageError for a bad time or number, UserError for a store that cannot be used.
    """
    if given.by and (given.sort or given.jobs == EACH):
        raise UsageError(f"--by prints a row for each {given.by}: neither --sort nor --jobs {EACH} goes with it")
    limited((), given.limit)  # a number below 1 is refused
    project = within(given)
    chosen = selection(given, project)
    target, sort = given.target or "", given.sort or "own"
    periods, targets = list[Wait](), list[Cost]()
    with combined_store() as store:
        connection = store.connection
        if given.by:
            periods = waits(connection, chosen, by=given.by, target=target, failed=given.failed)
        else:
            targets = costs(
                connection, chosen, target=target, failed=given.failed, sort=sort, each_jobs=given.jobs == EACH
            )
        everything = Selection(since_ns=chosen.since_ns, until_ns=chosen.until_ns)
        elsewhere = not periods and not targets and bool(project) and any_run(connection, everything)
    form = formats.JSON if given.json else given.format
    if not periods and not targets and form not in (formats.JSON, formats.CSV):
        show(f"No events {_reason(given, elsewhere)}.")
        return 0
    about = {
        "since_ns": chosen.since_ns if given.since is not None else None,
        "until_ns": chosen.until_ns if given.until else None,
        "project": project,
    }
    if given.by:
        _show_waits(form, periods[-(given.limit or 0) :], given.by, about)
    else:
        _show_costs(form, targets, given.limit, about)
    if form not in (formats.JSON, formats.CSV, formats.MARKDOWN) and project and sys.stdout.isatty():
        from make_metrics.commands.unmeasured import unmeasured  # only here: it loads what runs make

        show(unmeasured(Paths.from_environment(), given.directory))
    return 0


def _show_costs(form: str, targets: Sequence[Cost], limit: int | None, about: dict[str, Any]) -> None:
    shown = limited(targets, limit)
    if form == formats.JSON:
        formats.write_json(rows.document(shown, **about))
    elif form == formats.CSV:
        formats.write_csv(rows.FIELDS, [rows.record(cost) for cost in shown])
    else:
        columns, cells = rows.table(shown, bars=rows.BARS if formats.can_print(rows.BARS) else rows.ASCII_BARS)
        headings = {column.heading for column in columns}
        note = f"{len(shown)} of {len(targets)} rows. " if len(shown) < len(targets) else ""
        note += NOTE + TREND * ("trend" in headings) + FLAKY * ("flaky" in headings)
        formats.write_table(form, columns, cells, note=note)


def _show_waits(form: str, periods: Sequence[Wait], by: str, about: dict[str, Any]) -> None:
    if form == formats.JSON:
        formats.write_json(waits_report.document(periods, by=by, **about))
    elif form == formats.CSV:
        formats.write_csv(waits_report.FIELDS, [waits_report.record(wait) for wait in periods])
    else:
        note = waits_report.in_all(periods) + waits_report.NOTE
        formats.write_table(form, *waits_report.table(periods), note=note)


def _reason(given: argparse.Namespace, elsewhere: bool) -> str:
    if elsewhere:
        return "of this project match: --all takes those of all projects"
    if given.target or given.goal or given.failed or given.jobs:
        return "match: ask for less, or a longer time"
    if given.since is not None:
        return f"since {given.since}: give an earlier time"
    if given.until:
        return f"until {given.until}: give a later time"
    from make_metrics.commands.why_empty import why_empty

    return f"yet: {why_empty(Paths.from_environment())}"
