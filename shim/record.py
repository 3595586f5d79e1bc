"""What a run's temporary record says: reading its entries; the format is in `shim.hot.wire`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from shim.hot import wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One recipe line that a shim ran: one start of the shell.

    `start_ns` and `end_ns` are nanoseconds of the monotonic clock, `wall_ns` is the start in nanoseconds since the
    epoch. `status` is an exit status or the negative number of a signal; `fate` what became of make meanwhile.
    """

    make: str
    target: str
    goal: str
    level: int
    wall_ns: int
    start_ns: int
    end_ns: int
    status: int
    fate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """One make process, as the walk up the process tree found it.

    `key` names the process for good (a pid is used again, a key is not). `parent` is the key of the make above it and
    `parent_target` the target whose recipe started it. `goals` are those of its command line, or the default goal.
    `head` is the commit checked out when it began, `branch` the branch, both empty when unknown.
    """

    key: str
    parent: str = ""
    parent_target: str = ""
    level: int = 0
    goals: tuple[str, ...] = ()
    wall_ns: int = 0
    directory: str = ""
    version: str = ""
    parallel: bool = False
    keep_going: bool = False
    ignore_errors: bool = False
    is_test: str = "no"
    repository: str = ""
    head: str = ""
    branch: str = ""


@dataclass(slots=True)
class Contents:
    """What one record file holds: its own identity, its run, and the entries that could be read."""

    run: str = ""
    identity: str = ""
    lines: list[Line] = field(default_factory=list)
    makes: list[Make] = field(default_factory=list)
    torn: int = 0


def _text(word: bytes) -> str:
    return wire.decode(word).decode("utf-8", "backslashreplace")


def _line(words: list[bytes]) -> Line:
    _, make, target, goal, level, wall, start, end, status, fate = words
    entry = Line(
        make=make.decode("ascii"),
        target=_text(target),
        goal=_text(goal),
        level=int(level),
        wall_ns=int(wall),
        start_ns=int(start),
        end_ns=int(end),
        status=int(status),
        fate=int(fate),
    )
    if entry.end_ns < entry.start_ns or not entry.target:
        raise ValueError("a line that ends before it starts, or has no target")
    return entry


def make_from(given: dict[str, Any]) -> Make:
    """A `Make` from its stored form; unknown keys are a newer version's and are left out.

    Raises KeyError, TypeError or ValueError for anything that is no stored make.
    """
    known = {name: given[name] for name in Make.__dataclass_fields__ if name in given}
    known["goals"] = tuple(str(goal) for goal in known.get("goals", ()))
    made = Make(**known)
    if not made.key or not isinstance(made.level, int):
        raise ValueError("a make without a key")
    return made


def parse(data: bytes) -> Contents:
    """Everything that can be read of a record; an entry that cannot is counted in `torn` and costs itself only."""
    contents = Contents()
    for entry in data.split(b"\n"):
        if not entry:
            continue
        try:
            words = wire.fields(entry)
            if words[0] == b"L":
                contents.lines.append(_line(words))
            elif words[0] == b"M":
                contents.makes.append(make_from(json.loads(entry[2 : -len(wire.END)])))
            elif words[0] == b"R" and int(words[1]) == wire.VERSION:
                contents.run, contents.identity = words[2].decode("ascii"), words[3].decode("ascii")
            else:
                contents.torn += 1
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            contents.torn += 1
    return contents
