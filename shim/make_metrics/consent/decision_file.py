"""The file of a decision. Imports little: the walk reads its project's decision while a recipe line may be waiting."""

from __future__ import annotations

import json
import os
from collections import namedtuple

from make_metrics.files.read import read_file

_FORMAT = 1
# What `parse` raises for a file that `dump` has not written.
PARSE_ERRORS = (ValueError, KeyError, TypeError, RecursionError)
NONE, SOUND, CORRUPT, UNREADABLE = "none", "sound", "corrupt", "unreadable"

Record = namedtuple("Record", ("project", "yes", "decided_ns", "notice", "sinks"))
Record.__doc__ = """A recorded decision.

`project` is the project's path, `yes` the answer, `decided_ns` when (nanoseconds since the epoch), `notice` the version
of the notice that was shown, `sinks` the receivers as texts.
"""


def read(path: str | os.PathLike[str], project: str, *, any_owner: bool = False) -> tuple[str, Record | None]:
    """The state of a decision's file (NONE, SOUND, CORRUPT or UNREADABLE), and its record if it is sound.

    `project` is the path of the project that the file must be about. Another user's file is unreadable, unless
    `any_owner`: then we work for that user. Never raises.
    """
    try:
        content = read_file(path, any_owner=any_owner)
    except OSError:
        return UNREADABLE, None
    if content is None:
        return NONE, None
    try:
        record = parse(content)
    except PARSE_ERRORS:
        return CORRUPT, None
    if record.project != project:
        return CORRUPT, None  # the file was copied here from another project
    return SOUND, record


def parse(content: bytes) -> Record:
    """The record in a file's content; raises one of `PARSE_ERRORS` if `dump` has not written it."""
    document = json.loads(content)
    if document["format"] != _FORMAT or document["decision"] not in ("yes", "no"):
        raise ValueError("no decision")
    sinks = document["sinks"]
    texts = (document["project"], document["notice"], *sinks)
    if not isinstance(sinks, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError("no texts")
    if type(document["decided_ns"]) is not int or document["decided_ns"] <= 0:
        raise ValueError("no time")
    return Record(
        project=document["project"],
        yes=document["decision"] == "yes",
        decided_ns=document["decided_ns"],
        notice=document["notice"],
        sinks=tuple(sinks),
    )


def dump(record: Record) -> bytes:
    """The content of a record's file."""
    fields = record._asdict()
    document = {"format": _FORMAT, "decision": "yes" if fields.pop("yes") else "no", **fields}
    return json.dumps(document, indent=2).encode() + b"\n"
