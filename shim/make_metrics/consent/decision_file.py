"""A recorded decision: what its file says. Loads no more than it must: the walk reads the one of its project."""

from __future__ import annotations

import json
import os
from collections import namedtuple

from make_metrics.files.read import read_file

_FORMAT = 1
# What `parse` raises for a file that `dump` has not written.
DAMAGE = (ValueError, KeyError, TypeError, RecursionError)
NONE, SOUND, CORRUPT, UNREADABLE = "none", "sound", "corrupt", "unreadable"

Record = namedtuple("Record", ("project", "yes", "decided_ns", "notice", "sinks"))
Record.__doc__ = (
    "A decision: yes or no, when (nanoseconds since the epoch), to which notice, and where the data goes, as texts."
)


def read(path: str | os.PathLike[str], place: str, *, any_owner: bool = False) -> tuple[str, Record | None]:
    """What is written down about the project at `place`: its kind, and its record if that is sound.

    Another user's file is none of ours, unless `any_owner` says that we work for that user.
    """
    try:
        content = read_file(path, any_owner=any_owner)
    except OSError:
        return UNREADABLE, None
    if content is None:
        return NONE, None
    try:
        record = parse(content)
    except DAMAGE:
        return CORRUPT, None
    if record.project != place:
        return CORRUPT, None  # somebody else's answer, in the wrong place
    return SOUND, record


def parse(content: bytes) -> Record:
    """A record from its file; raises one of `DAMAGE` for what `dump` has not written."""
    given = json.loads(content)
    if given["format"] != _FORMAT or given["decision"] not in ("yes", "no"):
        raise ValueError("no decision")
    sinks = given["sinks"]
    texts = (given["project"], given["notice"], *sinks)
    if not isinstance(sinks, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("no texts")
    if type(given["decided_ns"]) is not int or given["decided_ns"] <= 0:
        raise ValueError("no time")
    return Record(
        project=given["project"],
        yes=given["decision"] == "yes",
        decided_ns=given["decided_ns"],
        notice=given["notice"],
        sinks=tuple(sinks),
    )


def dump(record: Record) -> bytes:
    """The file of a record."""
    known = record._asdict()
    document = {"format": _FORMAT, "decision": "yes" if known.pop("yes") else "no", **known}
    return json.dumps(document, indent=2).encode() + b"\n"
