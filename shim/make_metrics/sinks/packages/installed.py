"""Kinds of sink that other packages bring: which are installed, and loading one into this process."""

from __future__ import annotations

import functools
import importlib.util
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from make_metrics.sinks.guarded import one_line
from make_metrics.sinks.sink import GROUP, Kind, UnavailableError


@functools.cache
def installed() -> dict[str, EntryPoint]:
    """The entry points of kinds, by name. Loads nothing of their packages."""
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def forget() -> None:
    """Forget which kinds are installed."""
    installed.cache_clear()


def offer(name: str) -> tuple[str, ...]:
    """What brings an installed kind: its distribution, version and object, and the state of the module's file.

    Another offer is asked again what it declares. The file's state tells a package that its author changes; it is empty
    if the file is not found without loading anything.
    """
    entry = installed()[name]
    of = (entry.dist.name, entry.dist.version) if entry.dist else ("", "")
    return (*of, entry.value, _state(entry.module))


def _state(module: str) -> str:
    top, *below = module.split(".")
    try:
        spec = importlib.util.find_spec(top)
        folders = list((spec and spec.submodule_search_locations) or [])
        path = Path(folders[0], *below) if below and folders else Path((spec and spec.origin) or "")
        for place in (path, path.with_suffix(".py"), path / "__init__.py"):
            if place.is_file():
                found = place.stat()
                return f"{found.st_mtime_ns} {found.st_size}"
    except (ImportError, ValueError, OSError, AttributeError):
        pass
    return ""


def load(name: str) -> Kind:
    """Load an installed kind's package; raises UnavailableError if it cannot be."""
    try:
        kind = installed()[name].load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # whatever another package's module does
        raise UnavailableError(f'the package of sink "{name}" is broken: {one_line(error)}') from error
    if not isinstance(kind, Kind):
        raise UnavailableError(f'the package of sink "{name}" is for another version of make-metrics')
    return kind
