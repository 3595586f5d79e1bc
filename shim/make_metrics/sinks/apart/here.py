"""Makes the sink of a receiver in this process."""

from __future__ import annotations

from collections.abc import Callable

from make_metrics.files.paths import Paths
from make_metrics.sinks.guarded import Guarded, one_line
from make_metrics.sinks.kinds import BUILT_IN, kind_of, lacking
from make_metrics.sinks.sink import Kind, Sink, SinkSettings, UnavailableError
from make_metrics.sinks.user_settings import user_settings_for


def _loaded(name: str) -> Kind:
    from make_metrics.sinks.packages.installed import installed, load  # takes a while to load, and is rarely needed

    return load(name) if name in installed() else kind_of(name)


def sink_here(settings: SinkSettings, *, failed: Callable[[BaseException], object] = id) -> Sink:
    """A sink for a receiver of the settings, by this user's settings, in this process. Loads its library.

    An exception of the sink is an answer of it (see `sinks.guarded`). If the sink is ours, `failed` is told.

    Raises UnavailableError if it cannot be made here, UserError if MAKE_METRICS_HOME is relative.
    """
    name = settings.type
    kind = BUILT_IN.get(name) or _loaded(name)
    if missing := lacking(name, kind):
        raise UnavailableError(missing)
    surroundings, problems = user_settings_for(Paths.from_environment(), settings.host)
    if problems:
        raise UnavailableError(problems[0])
    try:
        sink = kind.make(settings, surroundings)
    except UnavailableError:
        raise
    except Exception as error:
        raise UnavailableError(f'sink "{name}" cannot be loaded: {one_line(error)}') from error
    secrets = [value for _, headers in surroundings.network.headers for _, value in headers]
    return Guarded(sink, settings, failed if name in BUILT_IN else id, secrets)
