"""An event as a message of the Segment protocol, and the rule that keeps the names of files back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Any

from make_metrics.combine.event import Event, envelope
from make_metrics.dataclass import replace
from make_metrics.properties.property import Property

# Suffixes of files that makefiles build. Targets such as dev.pull have a dot too, so only known suffixes count. Left
# out are suffixes that such targets have as well (dev.ps, dev.log, test.in).
_SUFFIXES = frozenset(
    """
    a aux avi bak bc bin bz2 c cc cfg cmo cmx conf cpp crt css csv cxx d dat db deb dep dll dtb dvi dylib ear elf eps
    epub exe f90 gcda gcno gcov gif go gz h hex hpp html ico img ini ipynb iso jar java jpeg jpg js json ko l la lib lo
    lock lst lua m4 mak md mdx mk ml mo mod mp3 mp4 o obj odt ogg orig pb pcap pch pdb pdf pem php pickle pid pl plist
    png po pot pptx py pyc pyo rb rom rpm rs rst s scss sha256 so sqlite sqlite3 srec stamp svg swp tar tex tgz tif tiff
    timestamp tmp toml ts tsx ttf txt vcd vsix wasm wav webp whl woff xls xlsx xml xpi xz y yaml yml z zip zst
    """.split()  # noqa: SIM905
)


def looks_like_file(target: str, file_names: Set[str] = frozenset()) -> bool:
    """Whether a target is taken for a file. Such a name is not sent unless the project's notice says so.

    It is if it contains "/" or a backslash, begins with "~" or a dot, ends with the suffix of a file, or is among
    `file_names`: the files in its make's directory when the run is combined. An event does not know whether make was
    told that its target is phony.
    """
    stem, dot, suffix = target.rpartition(".")
    has_suffix = bool(stem and dot) and suffix.lower() in _SUFFIXES
    return "/" in target or "\\" in target or target[:1] in ("~", ".") or has_suffix or target in file_names


def message(event: Event, *, name: str, anonymous_id: str, metrics: Iterable[Property] = ()) -> dict[str, Any]:
    """An event as a message of the Segment protocol, without the time of sending.

    `name` is the project's name for its events. Of the event's metrics only those declared in `metrics` are included,
    and only values that the declaration allows.
    """
    values = {
        declaration.name: event.metrics[declaration.name]
        for declaration in metrics
        if declaration.name in event.metrics and declaration.allows(event.metrics[declaration.name])
    }
    track = {"type": "track", **envelope(replace(event, metrics=values), anonymous_id=anonymous_id), "event": name}
    del track["sentAt"]
    return track
