"""What a run's temporary record says: reading its entries; the format is in `hot.record_format`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from make_metrics.hot import record_format


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One recipe line that a shim ran: one start of the shell.

    `start_ns` and `end_ns` are nanoseconds of the monotonic clock, `wall_ns` is the start in nanoseconds since the
    epoch. `status` is an exit status or the negative number of a signal; `fate` what became of make meanwhile. `cpu_us`
    and `peak_kib` are microseconds of processor time and the most memory held, both None when they are not known.
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
    cpu_us: int | None = None
    peak_kib: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Make:
    """One make process, as the walk up the process tree found it.

    `key` names the process for good (a pid is used again, a key is not). `parent` is the key of the make above it and
    `parent_target` the target whose recipe started it. `goals` are those of its command line, or the default goal.
    `head` is the commit checked out when it began, `branch` the branch, both empty when unknown. `boot` names the
    machine and its boot, to tell a run that a restart ended from one of another machine that shares the home.
    `ceiling` is the most that the environment allowed make: "off", "local" or "on", empty when unknown. `jobs` is how
    many recipes it runs at once, 0 for no limit, -1 when unknown; `ci` the CI service (see `environment`), empty when
    unknown. `traceparent` names the trace that the developer's make was started in (see `deliver.traceparent`), empty
    for none.
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
    boot: str = ""
    ceiling: str = ""
    jobs: int = -1
    ci: str = ""
    traceparent: str = ""


_LIMIT = 2**63  # nanoseconds: what the store's integers hold, the year 2262
_SMALL = 2**31
_USAGE_LIMIT = 2**47  # microseconds or KiB: far more than there can be, and many add up to what the store holds


@dataclass(slots=True)
class Contents:
    """What one record file holds: its own identity, its run, and the entries that could be read."""

    run: str = ""
    identity: str = ""
    lines: list[Line] = field(default_factory=list)
    makes: list[Make] = field(default_factory=list)
    torn: int = 0


def _text(word: bytes) -> str:
    return record_format.decode(word).decode("utf-8", "backslashreplace")


def _line(words: list[bytes]) -> Line:
    _, make, target, goal, level, wall, start, end, status, fate, *usage = words
    cpu, peak = map(int, usage) if usage else (None, None)  # entries of earlier versions end with the fate
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
        cpu_us=cpu,
        peak_kib=peak,
    )
    if not entry.target or not 0 <= entry.start_ns <= entry.end_ns < _LIMIT or not 0 <= entry.wall_ns < _LIMIT:
        raise ValueError("a line without a target, or with impossible times")
    if not 0 <= entry.level < _SMALL or abs(entry.status) >= _SMALL or not 0 <= entry.fate < _SMALL:
        raise ValueError("a line with impossible numbers")
    if not all(0 <= (used or 0) < _USAGE_LIMIT for used in (cpu, peak)):
        raise ValueError("a line with impossible usage")
    return entry


def _known(name: str, value: object) -> object:
    """A field of a `Make` from its stored form; raises ValueError if it is of another kind than the field."""
    if name == "goals":
        if not isinstance(value, (list, tuple)):
            raise ValueError("goals that are no list")
        return tuple(_known("goal", goal) for goal in value)
    kind = type(Make.__dataclass_fields__[name].default) if name not in ("key", "goal") else str
    if type(value) is not kind:
        raise ValueError(f"{name} is no {kind.__name__}")
    if isinstance(value, str):  # bytes that are no UTF-8, in the form that targets have
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return value


def make_from(given: dict[str, Any]) -> Make:
    """A `Make` from its stored form; unknown keys are a newer version's and are left out.

    Raises KeyError, TypeError or ValueError for anything that is no stored make.
    """
    known: dict[str, Any] = {name: _known(name, given[name]) for name in Make.__dataclass_fields__ if name in given}
    made = Make(**known)
    numbers = 0 <= made.level < _SMALL and 0 <= made.wall_ns < _LIMIT and -1 <= made.jobs < _SMALL
    if not made.key or not numbers:
        raise ValueError("a make without a key, or with impossible numbers")
    return made


def _make(words: list[bytes]) -> Make:
    facts: dict[str, object] = {}
    for word in words[1:]:
        name, _, value = word.decode("ascii").partition("=")
        if name not in Make.__dataclass_fields__:
            continue
        kind: type = type(Make.__dataclass_fields__[name].default) if name != "key" else str
        if kind is bool:
            facts[name] = {"0": False, "1": True}[value]
        elif kind is int:
            facts[name] = int(value)
        elif kind is tuple:
            facts[name] = tuple(_text(one.encode()) for one in value.split("&") if one)
        else:
            facts[name] = _text(value.encode())
    return make_from(facts)


def parse(data: bytes) -> Contents:
    """Everything that can be read of a record; an entry that cannot is counted in `torn` and costs itself only."""
    contents = Contents()
    for entry in data.split(b"\n"):
        if not entry:
            continue
        try:
            words = record_format.split_entry(entry)
            if words[0] == b"L":
                contents.lines.append(_line(words))
            elif words[0] == b"M":
                contents.makes.append(_make(words))
            elif words[0] == b"R" and int(words[1]) == record_format.VERSION:
                contents.run, contents.identity = words[2].decode("ascii"), words[3].decode("ascii")
            else:
                contents.torn += 1
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            contents.torn += 1
    return contents
