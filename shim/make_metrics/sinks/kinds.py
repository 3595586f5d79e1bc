"""The kinds of sink that there are here, by name: those that come with make-metrics, and those of other packages."""

from __future__ import annotations

import functools
import importlib.util
from typing import TYPE_CHECKING

from make_metrics.files.paths import Paths
from make_metrics.sinks.builtin import FILE, OTLP, SEGMENT
from make_metrics.sinks.guarded import Guarded
from make_metrics.sinks.sink import GROUP, Kind, Sink, SinkSettings, UnavailableError
from make_metrics.sinks.sink import readable as plain
from make_metrics.sinks.user_settings import read_user_settings

if TYPE_CHECKING:  # takes a while to load, and is rarely needed
    from importlib.metadata import EntryPoint

# First, so that no other package can take one of these names; and not in our own package's metadata, because a checkout
# on a path has none, and because reading all packages' takes a while.
BUILT_IN = {"segment": SEGMENT, "otlp": OTLP, "file": FILE}


@functools.cache
def kind_of(name: str) -> Kind:
    """The kind of sink of a name; raises UnavailableError if it is not installed, or its package is broken."""
    if name in BUILT_IN:
        return BUILT_IN[name]
    if name not in _registered():
        raise UnavailableError(
            f'no sink "{name}" is installed: install the package that brings it, or correct the name'
        )
    try:
        kind = _registered()[name].load()
    except Exception as error:
        said = ascii(str(error))[1:-1][:200]
        raise UnavailableError(f'the package of sink "{name}" is broken: {type(error).__name__}: {said}') from error
    if not isinstance(kind, Kind):
        raise UnavailableError(f'the package of sink "{name}" is for another version of make-metrics')
    return kind


@functools.cache
def _registered() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=GROUP)}


def lacks(name: str) -> str:
    """What keeps sinks of a kind from being made here, empty if nothing does."""
    try:
        kind = kind_of(name)
        if not kind.needs or importlib.util.find_spec(kind.needs):
            return ""
    except UnavailableError as error:
        return str(error)
    except (ImportError, ValueError):
        pass
    return f'sink "{name}" lacks a library: {kind.install or f"install {kind.needs}"}'


def sink_of(settings: SinkSettings) -> Sink:
    """The sink for one receiver of the settings, for this user. Loads its library.

    Raises UnavailableError if it cannot be made here, UserError for a bad MAKE_METRICS_HOME.
    """
    missing = lacks(settings.type)
    if missing:
        raise UnavailableError(missing)
    found, problems = read_user_settings(Paths.from_environment())
    if problems:
        raise UnavailableError(problems[0])
    try:
        made = kind_of(settings.type).make(settings, found)
    except UnavailableError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {ascii(str(error))[1:-1][:200]}"
        raise UnavailableError(f'sink "{settings.type}" cannot be loaded: {said}') from error
    return made if settings.type in BUILT_IN else Guarded(made, settings)


def receivers(settings: SinkSettings) -> tuple[SinkSettings, ...]:
    """The receivers that a table of the settings stands for: itself, but for some that are built in."""
    kind = BUILT_IN.get(settings.type)
    return kind.split(settings) if kind else (settings,)


def takes_traces(name: str) -> bool:
    """Whether sinks of a kind are given runs, and the place of messages in their run's trace."""
    kind = BUILT_IN.get(name)
    return kind is not None and kind.traces


def takes_choices(settings: SinkSettings) -> bool:
    """Whether a receiver is told of a yes."""
    kind = BUILT_IN.get(settings.type)
    return kind is None or kind.choices(settings)


def readable(name: str, url: str, body: bytes) -> str:
    """What was sent to a sink of a kind at an address, for people, from the very bytes; it ends with a newline."""
    try:
        said = plain(url, body) if lacks(name) else kind_of(name).shown(url, body)
    except Exception:  # another package's code, or bytes that an older version of it sent
        said = plain(url, body)
    return f"{said}\n" if not said.endswith("\n") else said


def request_line(url: str) -> str:
    """What is done at an address, in words of HTTP where that is what it is."""
    return f"{'append to' if url.startswith('file:') else 'POST'} {url}"
