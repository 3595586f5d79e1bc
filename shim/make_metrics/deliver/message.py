"""The message that a sink is given for an event, and which targets' names are kept back. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import replace
from typing import Any

from make_metrics.combine.event import Event, envelope
from make_metrics.properties.property import Property

# Suffixes of files that makefiles build, without those that are also what people do (dev.ps, dev.log, test.in): a name
# such as dev.pull is no file's, so the rule has to know the suffix.
_SUFFIXES = frozenset(
    """
    a aux avi bak bc bin bz2 c cc cfg cmo cmx conf cpp crt css csv cxx d dat db deb dep dll dtb dvi dylib ear elf eps
    epub exe f90 gcda gcno gcov gif go gz h hex hpp html ico img ini ipynb iso jar java jpeg jpg js json ko l la lib lo
    lock lst lua m4 mak md mdx mk ml mo mod mp3 mp4 o obj odt ogg orig pb pcap pch pdb pdf pem php pickle pid pl plist
    png po pot pptx py pyc pyo rb rom rpm rs rst s scss sha256 so sqlite sqlite3 srec stamp svg swp tar tex tgz tif tiff
    timestamp tmp toml ts tsx ttf txt vcd vsix wasm wav webp whl woff xls xlsx xml xpi xz y yaml yml z zip zst
    """.split()  # noqa: SIM905
)


def is_file(target: str, beside: Set[str] = frozenset()) -> bool:
    """Whether a target is taken for a file, whose name is not sent unless the project's notice says so.

    It is if it has a "/" or a backslash, or begins with "~" or a dot, or its last suffix is one that files have, or a
    file of that very name is `beside` its makefile (its make's directory, when the run is combined). Whether make was
    told that a target is phony is not known to the event.
    """
    stem, dot, suffix = target.rpartition(".")
    named = bool(stem and dot) and suffix.lower() in _SUFFIXES
    return "/" in target or "\\" in target or target[:1] in ("~", ".") or named or target in beside


def message(event: Event, *, name: str, anonymous_id: str, metrics: Iterable[Property] = ()) -> dict[str, Any]:
    """An event as a message of the Segment protocol, without the time of sending; `name` is the project's word.

    Of its metrics it has the values that these declarations allow.
    """
    told = {
        entry.name: event.metrics[entry.name]
        for entry in metrics
        if entry.name in event.metrics and entry.allows(event.metrics[entry.name])
    }
    made = {"type": "track", **envelope(replace(event, metrics=told), anonymous_id=anonymous_id), "event": name}
    del made["sentAt"]
    return made
