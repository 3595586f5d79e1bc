"""The kinds of sink by name: those that come with make-metrics, and those of other installed packages."""

from __future__ import annotations

import importlib.util
import sys

from make_metrics.errors import did_you_mean
from make_metrics.sinks.builtin import FILE, OTLP, SEGMENT
from make_metrics.sinks.sink import Kind, SinkSettings, UnavailableError
from make_metrics.sinks.sink import readable as plain

# Not entry points of our own: then another package could take a name, a checkout on a path would have no kinds, and
# every look-up would read the metadata of all packages.
BUILT_IN = {"segment": SEGMENT, "otlp": OTLP, "file": FILE}


def kind_of(name: str) -> Kind:
    """The kind of sink with a name; raises UnavailableError if it is not installed or its package is broken.

    Another package's is what it declares (`sinks.packages.declared`): nothing of it is loaded into this process.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    from make_metrics.sinks.packages import declared  # takes a while to load, and is rarely needed
    from make_metrics.sinks.packages.installed import installed

    if name not in installed():
        hint = did_you_mean(name, [*BUILT_IN, *installed()])
        raise UnavailableError(
            f'no sink "{name}" is installed{hint}: install the package that brings it, or correct the name'
        )
    return declared.kind_of(name)


def forget() -> None:
    """Forget which kinds are installed, and what they declare."""
    for name in ("make_metrics.sinks.packages.installed", "make_metrics.sinks.packages.declared"):
        if name in sys.modules:  # only a project with such a sink loads them
            sys.modules[name].forget()


def lacks(name: str) -> str:
    """Why no sink of a kind can be made here, in one line; empty if one can."""
    try:
        return lacking(name, kind_of(name))
    except UnavailableError as error:
        return str(error)


def lacking(name: str, kind: Kind) -> str:
    """Which library a kind with this name needs and lacks, in one line; empty if it lacks none."""
    try:
        if not kind.needs or importlib.util.find_spec(kind.needs):
            return ""
    except (ImportError, ValueError):
        pass
    return f'sink "{name}" lacks a library: {kind.install or f"install {kind.needs}"}'


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
