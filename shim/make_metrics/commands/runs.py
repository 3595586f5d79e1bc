"""`make-metrics runs`: print the runs of make."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from make_metrics.analysis.run_name import short_names
from make_metrics.combine.event import timestamp
from make_metrics.combine.summary import Summary
from make_metrics.commands.prose import show
from make_metrics.commands.reading import combined_store, limited, start_ns
from make_metrics.dataclass import asdict, fields
from make_metrics.files.paths import Paths
from make_metrics.report import formats
from make_metrics.report.local_time import local_time
from make_metrics.report.rows import duration
from make_metrics.report.table import Column
from make_metrics.store import builds
from make_metrics.store.questions.unseen_goals import unseen_goals

_Unseen = Mapping[str, tuple[str, ...]]
VERSION = 1  # of each object: changes if a field changes its meaning or goes away
_SHOWN = 20  # runs, where no other number is given
_FIELDS = (
    "run",
    *(field.name for field in fields(Summary) if field.name != "started_ns"),
    "start_time",
    "unseen_goals",
)  # of CSV, whose heading tells what is there


def run(given: argparse.Namespace) -> int:
    """Print the runs as a table, JSON, CSV or Markdown; 0.

    People get the newest 20, and programs all, if `--limit` does not say how many. Raises UsageError for a bad time or
    number, UserError for a store that cannot be used.
    """
    begin_ns = start_ns(given.since) or 0
    form = formats.JSON if given.json else given.format
    limited((), given.limit)  # a number below 1 is refused
    newest = given.limit or (-1 if form in (formats.JSON, formats.CSV) else _SHOWN)
    with combined_store() as store:
        summaries = store.runs(since_ns=begin_ns, newest=newest)
        names = short_names(builds.run_ids(store.connection))
        unseen = unseen_goals(store.connection, [summary.id for summary in summaries])
        count = builds.count(store.connection, since_ns=begin_ns)
    if form == formats.JSON:
        formats.write_json([_document(summary, names, unseen) for summary in summaries])
    elif form == formats.CSV:
        formats.write_csv(_FIELDS, [_document(summary, names, unseen) for summary in summaries])
    elif summaries:
        more = f"The newest {len(summaries)} of {count} runs: --limit N shows more." if len(summaries) < count else ""
        formats.write_table(form, *_table(summaries, names, unseen), note=more)
    else:
        from make_metrics.commands.why_empty import why_empty

        why = why_empty(Paths.from_environment())
        reason = f"since {given.since}: give an earlier time" if given.since else f"yet: {why}"
        show(f"No runs {reason}.")
    return 0


def _document(summary: Summary, names: Mapping[str, str], unseen: _Unseen) -> dict[str, object]:
    values = {"version": VERSION, "run": names.get(summary.id), **asdict(summary)}
    values["start_time"] = timestamp(values.pop("started_ns"))
    values["unseen_goals"] = list(unseen.get(summary.id, ()))
    if summary.id in unseen:
        values["exit_status"] = None
    return values


def _status(summary: Summary, unseen: _Unseen) -> str:
    """How a run ended, as far as recipes show it: make may also fail where no recipe runs."""
    if summary.exit_status:
        return str(summary.exit_status)
    return "?" if summary.id in unseen else "ok"


def _table(summaries: list[Summary], names: Mapping[str, str], unseen: _Unseen) -> tuple[list[Column], list[list[str]]]:
    columns = [
        Column("run"),
        Column("started"),
        Column("goals", shrinks=True),
        Column("status", number=True, alarm=True),
        Column("duration", number=True),
        Column("targets", number=True, dropped=2),
        Column("directory", shrinks=True, dropped=1),
    ]
    rows = [
        [
            names.get(summary.id, ""),
            local_time(summary.started_ns),
            " ".join(summary.goals),
            _status(summary, unseen),
            duration(summary.duration_ms),
            str(summary.targets),
            summary.directory,
        ]
        for summary in summaries
    ]
    return columns, rows
