"""Measuring a run's events and queueing their messages: the same for small and for large runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from make_metrics.combine.event import Event
from make_metrics.combine.run import Run
from make_metrics.deliver.permissions import Permission
from make_metrics.store.outbox import Entry
from make_metrics.store.troubles import Troubles
from make_metrics.sweep.context import Context


def measured(context: Context, run: Run, events: Sequence[Event], permitted: Mapping[str, Permission]) -> list[Event]:
    """The events with git's facts, and with the optional metrics that were agreed to."""
    return context.collector.collect_run(
        run,
        events,
        context.store.metrics(run.id, events),
        default_branch=context.projects.default_branch,
        metrics={key: permission.metrics for key, permission in permitted.items()},
    )


def queue(context: Context, entries: Iterable[Entry], permitted: Mapping[str, Permission]) -> None:
    """Queue messages, and note the troubles of metrics, within the caller's transaction.

    A message that the registry refuses is counted, for `status`: again if its run is combined again.
    """
    troubles, context.collector.troubles = context.collector.troubles, []
    Troubles(context.store.connection).add(troubles, now_ns=context.now_ns)
    # Read the decisions again: an opt-out that came before this transaction has not seen these messages.
    withdrawn = {each.project.path for each in permitted.values() if not context.projects.still_holds(each)}
    allowed = [entry for entry in entries if entry.project not in withdrawn]
    context.outbox.put([entry for entry in allowed if not entry.refused], now_ns=context.now_ns)
    counts = Counter((entry.project, entry.refused) for entry in allowed if entry.refused)
    for (project, reason), count in counts.items():
        context.outbox.count_dropped(project, reason, count)
