"""Writing a run of many targets in slices, each in a transaction of its own.

A sweep may be ended at any time: the sender lives for seconds, the walk as long as a recipe line. The next one goes on
behind the last slice. Until the last one is written, nothing shows the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from make_metrics.combine.event import Event, run_id
from make_metrics.combine.run import Run, Seed, event_of, in_order, seeds_of
from make_metrics.combine.summary import Summary, summarise
from make_metrics.dataclass import replace
from make_metrics.deliver import outgoing
from make_metrics.deliver.permissions import Permission
from make_metrics.store.pieces import Pieces
from make_metrics.sweep.context import Context
from make_metrics.sweep.record_file import Part
from make_metrics.sweep.writing import measured, queue

SLICE = 2_000


def write(
    context: Context,
    run: Run,
    parts: Sequence[Part],
    permitted: Mapping[str, Permission],
    *,
    is_whole: bool,
    bare: bool = False,
) -> None:
    """Write a run to the store and, as far as their sending was agreed to, its events to the outbox.

    Raises PausedError behind a slice if the sweep's time is over. `is_whole` and `bare` as in `sweep.run_records`.
    """
    store, pieces = context.store, Pieces(context.store.connection)
    seeds = list(seeds_of(run))
    total = sum(work.lines for work in run.work.values()) + len(run.makes) + run.torn
    done = pieces.done(run.id, total)
    goals, always = (list(map(event_of, some)) for some in _needed_in_each(run, seeds))
    summary = _summary(run, parts, seeds, [*goals, *always], context.now_ns)
    # Goals by the thousand would be written again with each slice: the last one alone needs them.
    needed = [*goals, *always] if len(goals) <= SLICE else always
    run_message_ids = {run_id(run.id, permission.anonymous_id) for permission in permitted.values()}
    while True:
        part = seeds[done : done + SLICE]
        done += len(part)
        is_last = done >= len(seeds)
        needed = [*goals, *always] if is_last else needed
        events = in_order({event.message_id: event for event in (*needed, *map(event_of, part))}.values())
        events = events if bare else measured(context, run, events, permitted)
        entries = outgoing.entries(context.projects, run, events, permitted)
        with store.transaction():
            queue(context, [each for each in entries if is_last or each.message_id not in run_message_ids], permitted)
            if is_whole:
                if not store.load_run(run.id).exists:
                    # Until the last slice the state is what it was before: the pieces are merged into it each time.
                    store.put_run(Run(run.id), summary, now_ns=context.now_ns)
                store.put_some(run, events, summary, now_ns=context.now_ns)
            else:
                store.put_late(run, events)
            if is_last:
                _finish(context, run, parts, seeds, summary, is_whole=is_whole)
            else:
                pieces.note_done(run.id, done, total)
        if is_last:
            return
        context.check_time()


def _finish(
    context: Context, run: Run, parts: Sequence[Part], seeds: Sequence[Seed], summary: Summary, *, is_whole: bool
) -> None:
    """Write the run itself, and how far its records are combined."""
    store = context.store
    if is_whole:
        store.put_run(run, summary, now_ns=context.now_ns)
        # A goal that has no lines loses its event when the make's header comes late, and names another.
        if store.count_events(run.id) > len(seeds):
            store.keep_only(run.id, ((seed.make, seed.target) for seed in seeds))
    Pieces(store.connection).finish(run.id)
    for part in parts:
        store.mark(part.identity, size=part.size, now_ns=context.now_ns)


def _summary(run: Run, parts: Sequence[Part], seeds: Sequence[Seed], needed: Sequence[Event], now_ns: int) -> Summary:
    events = needed if any(event.goal for event in needed) else list(map(event_of, seeds))
    summary = summarise(run, events, fallback_ns=max((part.modified_ns for part in parts), default=now_ns))
    return replace(summary, targets=len(seeds))


def _needed_in_each(run: Run, seeds: Iterable[Seed]) -> tuple[list[Seed], list[Seed]]:
    """The seeds of the events that say something about the whole run: what a slice needs besides its own.

    These are the goals, and the targets whose recipes started makes with each make's first and last targets.
    """
    parents = {(make.parent, make.parent_target) for make in run.makes.values()}
    first: dict[str, tuple[int, Seed]] = {}
    last: dict[str, tuple[int, Seed]] = {}
    goals, always = list[Seed](), list[Seed]()
    for seed in seeds:
        make = seed.make
        if (make, seed.target) in parents:
            always.append(seed)
        elif seed.is_goal:
            goals.append(seed)
        begin_ns, end_ns = seed.span_ns
        if end_ns:
            if make not in first or begin_ns < first[make][0]:
                first[make] = begin_ns, seed
            if make not in last or end_ns > last[make][0]:
                last[make] = end_ns, seed
    return goals, [*always, *(seed for _, seed in (*first.values(), *last.values()))]
