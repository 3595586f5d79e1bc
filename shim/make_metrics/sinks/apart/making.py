"""Makes the sink of a receiver: one of ours in this process, another package's in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from make_metrics.processes.children import may_start
from make_metrics.sinks.apart.here import sink_here
from make_metrics.sinks.guarded import Guarded, ProcessError
from make_metrics.sinks.kinds import BUILT_IN, lacks
from make_metrics.sinks.sink import Sink, SinkSettings, UnavailableError


def sink_of(
    settings: SinkSettings, *, failed: Callable[[BaseException], object] = id, held: Sequence[int] = ()
) -> Sink:
    """A sink as `sinks.apart.here.sink_here` makes it; raises as it does.

    Another package's sink works in a process of its own, which holds the descriptors `held` too (see `sinks.apart`);
    where none may be started, in this one.
    """
    if settings.type in BUILT_IN or not may_start():
        return sink_here(settings, failed=failed)
    if missing := lacks(settings.type):
        raise UnavailableError(missing)
    from make_metrics.sinks.apart.sink import Apart  # takes a while to load, and is rarely needed

    try:
        return Guarded(Apart(settings, held), settings, id)
    except ProcessError as error:
        raise UnavailableError(f'sink "{settings.type}" cannot be loaded: {error}') from error
