"""`make-metrics compare`: print which targets became slower or faster between two sets of runs."""

from __future__ import annotations

import argparse
import re
import sqlite3
from collections.abc import Iterator

from make_metrics.analysis.changes import Sample, changes
from make_metrics.commands.compared_sides import past, sides
from make_metrics.commands.reading import combined_store, limited, selection, within
from make_metrics.commands.warn import warn
from make_metrics.errors import UsageError
from make_metrics.report import formats
from make_metrics.report.many import comparison
from make_metrics.report.many.comparison import Comparison, Side
from make_metrics.store.questions.own_times import Place, own_times
from make_metrics.store.questions.selection import Selection

_PERCENT = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)%?")
_USUAL = 30  # of the latest times of a target, which tell what is usual
_NAMED = 5


def run(given: argparse.Namespace) -> int:
    """Print the comparison as a table, JSON, CSV or Markdown; 0, or 1 for a target slower by more than `--fail-above`.

    Raises UsageError for what cannot be compared, UserError if a side has no run.
    """
    above = None if given.fail_above is None else _percent(given.fail_above)
    limited((), given.limit)  # a number below 1 is refused
    project = within(given)
    chosen = selection(given, project)
    with combined_store() as store:
        before, after = sides(store.connection, given, chosen)
        # Here, where the store is open: the times of one target after the other are read.
        found = changes(_samples(store.connection, before, after, chosen, given.target or ""))
    compared = Comparison(before, after, found, project, above)
    form = formats.JSON if given.json else given.format
    if form == formats.JSON:
        formats.write_json(comparison.document(compared, given.limit))
    elif form == formats.CSV:
        formats.write_csv(comparison.FIELDS, limited(comparison.records(compared), given.limit))
    else:
        formats.write_lines(form, comparison.heading(compared))
        columns, rows = comparison.table(compared)
        shown = limited(rows, given.limit)
        if shown:
            formats.write_table(form, columns, shown)
        formats.write_lines(form, comparison.notes(compared, len(shown)))
    too_slow = compared.too_slow
    if too_slow:
        names = ", ".join(name for _, name in too_slow[:_NAMED]) + ", ..." * (len(too_slow) > _NAMED)
        warn([f"{len(too_slow)} target{'s' * (len(too_slow) != 1)} slower by more than {given.fail_above}: {names}"])
    return 1 if too_slow else 0


def _percent(text: str) -> float:
    """A part of 1; raises UsageError."""
    match = _PERCENT.fullmatch(text)
    if match is None:
        raise UsageError(f"--fail-above {text!r}: give a percentage, such as 20%")
    return float(match[1]) / 100


def _samples(
    connection: sqlite3.Connection, before: Side, after: Side, chosen: Selection, target: str
) -> Iterator[tuple[Place, Sample]]:
    single = len(before.runs) == len(after.runs) == 1
    earlier = past(connection, before.runs[0], chosen) if single else []
    for place, times in own_times(connection, (before.runs, after.runs, earlier), target=target):
        first, second, usual = ([own_us for own_us in side if own_us is not None] for side in times)
        # A side on which a target only failed has no time of it: then there is nothing to compare.
        if (times[0] or times[1]) and (first or not times[0]) and (second or not times[1]):
            yield place, Sample(first, second, usual[:_USUAL])
