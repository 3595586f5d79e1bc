"""The kinds of sink by name: those that come with make-metrics, and those of other installed packages."""

from __future__ import annotations

import functools
import importlib.util
from typing import TYPE_CHECKING

from make_metrics.errors import did_you_mean
from make_metrics.files.paths import Paths
from make_metrics.sinks.builtin import FILE, OTLP, SEGMENT
from make_metrics.sinks.guarded import Guarded
from make_metrics.sinks.sink import GROUP, Kind, Sink, SinkSettings, UnavailableError
from make_metrics.sinks.sink import readable as plain
from make_metrics.sinks.user_settings import user_settings_for

if TYPE_CHECKING:  # takes a while to load, and is rarely needed
    from collections.abc import Callable
    from importlib.metadata import EntryPoint

# Not entry points of our own: then another package could take a name, a checkout on a path would have no kinds, and
# every look-up would read the metadata of all packages.
BUILT_IN = {"segment": SEGMENT, "otlp": OTLP, "file": FILE}


@functools.cache
def kind_of(name: str) -> Kind:
    """The kind of sink with a name; raises UnavailableError if it is not installed or its package is broken."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name not in _registered():
        hint = did_you_mean(name, [*BUILT_IN, *_registered()])
        raise UnavailableError(
            f'no sink "{name}" is installed{hint}: install the package that brings it, or correct the name'
        )
    try:
        kind = _registered()[name].load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever another package's module does: opt-out and status read settings too
        raise UnavailableError(f'the package of sink "{name}" is broken: {_one_line(error)}') from error
    if not isinstance(kind, Kind):
        raise UnavailableError(f'the package of sink "{name}" is for another version of make-metrics')
    return kind


@functools.cache
def _registered() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=GROUP)}


def forget() -> None:
    """Forget which kinds are installed."""
    kind_of.cache_clear()
    _registered.cache_clear()


def lacks(name: str) -> str:
    """Why no sink of a kind can be made here, in one line; empty if one can."""
    try:
        kind = kind_of(name)
        if not kind.needs or importlib.util.find_spec(kind.needs):
            return ""
    except UnavailableError as error:
        return str(error)
    except (ImportError, ValueError):
        pass
    return f'sink "{name}" lacks a library: {kind.install or f"install {kind.needs}"}'


def sink_here(settings: SinkSettings, *, failed: Callable[[BaseException], object] = id) -> Sink:
    """A sink for a receiver of the settings, by this user's settings, in this process. Loads its library.

    An exception of the sink is an answer of it (see `sinks.guarded`). If the sink is ours, `failed` is told.

    Raises UnavailableError if it cannot be made here, UserError if MAKE_METRICS_HOME is relative.
    """
    missing = lacks(settings.type)
    if missing:
        raise UnavailableError(missing)
    surroundings, problems = user_settings_for(Paths.from_environment(), settings.host)
    if problems:
        raise UnavailableError(problems[0])
    try:
        sink = kind_of(settings.type).make(settings, surroundings)
    except UnavailableError:
        raise
    except Exception as error:
        raise UnavailableError(f'sink "{settings.type}" cannot be loaded: {_one_line(error)}') from error
    secrets = [value for _, headers in surroundings.network.headers for _, value in headers]
    return Guarded(sink, settings, failed if settings.type in BUILT_IN else id, secrets)


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {ascii(str(error))[1:-1][:200]}"


def receivers(settings: SinkSettings) -> tuple[SinkSettings, ...]:
    """The receivers that a table of the settings stands for; more or other than itself only for built-in kinds."""
    kind = BUILT_IN.get(settings.type)
    return kind.split(settings) if kind else (settings,)


def takes_traces(name: str) -> bool:
    """Whether sinks of a kind get messages of runs, and in every message the place in the run's trace."""
    kind = BUILT_IN.get(name)
    return kind is not None and kind.traces


def takes_choices(settings: SinkSettings) -> bool:
    """Whether a receiver gets a message about a yes."""
    kind = BUILT_IN.get(settings.type)
    return kind is None or kind.choices(settings)


def readable(name: str, url: str, body: bytes) -> str:
    """The bytes that were sent to an address, as text for people that ends with a newline."""
    try:
        text = plain(url, body) if lacks(name) else kind_of(name).shown(url, body)
    except KeyboardInterrupt:
        raise
    except BaseException:  # another package's code, or the bytes are of an older version of it
        text = plain(url, body)
    return text if text.endswith("\n") else f"{text}\n"


def request_line(url: str) -> str:
    """What sending does, in one line: `POST` and the URL, or `append to` and a file's URL."""
    return f"{'append to' if url.startswith('file:') else 'POST'} {url}"
