"""Reading the entries of a run's temporary record. `hot.record_format` describes the format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from make_metrics.dataclass import dataclass, field, fields
from make_metrics.hot import record_format


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One recipe line that a shim ran: one start of the shell.

    `start_ns` and `end_ns` are nanoseconds since the boot; `wall_ns` is the start in nanoseconds since the
    epoch. `status` is the exit status, or the negative number of the signal that killed the line. `fate` is 0, or the
    signal that make got while the line ran (see `hot.record_format`). `cpu_us` is processor time in microseconds,
    `peak_kib` the most memory that a program held; both are None if unknown.
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
    """One make process, as the walk up the process tree described it. Texts are empty if unknown.

    - `key`: the process. Unlike a pid, a key is never used again.
    - `parent`, `parent_target`: the key of the make above, and the target whose recipe started this make.
    - `goals`: the goals of its command line, else the default goal.
    - `makefiles`: those of its command line (-f), none if it looked for its default ones.
    - `head`, `branch`: the commit and the branch that were checked out when it began.
    - `boot`: the machine and its boot. Another boot of this machine has ended the run; another machine that shares the
      home may still be at it.
    - `ceiling`: the most that the environment allowed make: "off", "local" or "on".
    - `jobs`: how many recipes it runs at once, 0 for no limit, -1 if unknown.
    - `ci`, `driver`: the CI service, and who started make (see `environment`).
    - `traceparent`: the trace that the developer's make was started in (see `deliver.traceparent`).
    """

    key: str
    parent: str = ""
    parent_target: str = ""
    level: int = 0
    goals: tuple[str, ...] = ()
    makefiles: tuple[str, ...] = ()
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
    driver: str = ""
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Needs:
    """What a target needs, as make knew it: its prerequisites, the order-only ones, and which of the first were newer.

    `newer` has bit 1 for the first prerequisite, 2 for the second, 4 for the third.
    """

    prerequisites: tuple[str, ...] = ()
    order_only: tuple[str, ...] = ()
    newer: int = 0


# The type of each field of a `Make`. Only the key has no default, and is a text.
_TYPES: dict[str, type] = {each.name: str if each.name == "key" else type(each.default) for each in fields(Make)}


_TIME_LIMIT = 2**63  # nanoseconds: the limit of the store's integers, the year 2262
_NUMBER_LIMIT = 2**31
_PATH_LIMIT = 16_384  # characters; looking up a longer path would take seconds
_NEEDS_LIMIT = 40  # names; the fragment hands over ten
_USAGE_LIMIT = 2**47  # microseconds or KiB: impossibly much, and a sum of 65,536 lines still fits into the store


@dataclass(slots=True)
class Contents:
    """The contents of one record file: its identity, its run, its entries, and how many entries could not be read.

    `needs` are what targets need, each with its make and target.
    """

    run: str = ""
    identity: str = ""
    lines: list[Line] = field(default_factory=list)
    makes: list[Make] = field(default_factory=list)
    needs: list[tuple[tuple[str, str], Needs]] = field(default_factory=list)
    torn: int = 0


def _text(word: bytes) -> str:
    return record_format.decode(word).decode("utf-8", "backslashreplace")


def _line(words: list[bytes]) -> Line:
    _, make, target, goal, level, wall, start, end, status, fate, *usage = words
    cpu, peak = map(int, usage) if usage else (None, None)  # earlier versions wrote no usage
    line = Line(
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
    if not line.target or not 0 <= line.start_ns <= line.end_ns < _TIME_LIMIT or not 0 <= line.wall_ns < _TIME_LIMIT:
        raise ValueError("a line without a target, or with impossible times")
    if not 0 <= line.level < _NUMBER_LIMIT or abs(line.status) >= _NUMBER_LIMIT or not 0 <= line.fate < _NUMBER_LIMIT:
        raise ValueError("a line with impossible numbers")
    if not all(0 <= (amount or 0) < _USAGE_LIMIT for amount in (cpu, peak)):
        raise ValueError("a line with impossible usage")
    return line


def needs_from(prerequisites: Sequence[str], order_only: Sequence[str], newer: int) -> Needs:
    """What a target needs from its stored values; raises ValueError or TypeError if they are none."""
    names = (*prerequisites, *order_only)
    if len(names) > _NEEDS_LIMIT or not all(isinstance(name, str) for name in names):
        raise ValueError("too many names, or no names")
    if type(newer) is not int or not 0 <= newer < 1 << len(prerequisites):
        raise ValueError("impossible bits")
    return Needs(tuple(prerequisites), tuple(order_only), newer)


def larger(one: Needs, other: Needs | None) -> Needs:
    """One of two statements about the same target, whatever their order: a double-colon rule has several."""
    return one if other is None else max(one, other, key=lambda each: (len(each.prerequisites), repr(each)))


def _needs(words: list[bytes]) -> tuple[tuple[str, str], Needs | None]:
    _, make, target, word = words
    key = make.decode("ascii"), _text(target)
    if word == b".":
        return key, Needs()
    parts = [part.split() for part in _text(word).split(";")]
    if len(parts) != 3:
        return key, None  # a name has a ";" of its own
    prerequisites, order_only, newer = parts
    newer_names = frozenset(prerequisites if newer == ["="] else newer)
    bits = sum(1 << at for at, name in enumerate(prerequisites) if name in newer_names)
    return key, needs_from(prerequisites, order_only, bits)


def make_from(values: dict[str, Any]) -> Make:
    """A `Make` from its stored fields. Unknown names belong to a newer version, and are ignored.

    Raises KeyError, TypeError or ValueError if the values are no stored make.
    """
    make = Make(**{name: _checked(values[name], kind) for name, kind in _TYPES.items() if name in values})
    in_bounds = 0 <= make.level < _NUMBER_LIMIT and 0 <= make.wall_ns < _TIME_LIMIT and -1 <= make.jobs < _NUMBER_LIMIT
    if not make.key or not in_bounds:
        raise ValueError("a make without a key, or with impossible numbers")
    if not all(_is_path(path) for path in (make.directory, make.repository)):
        raise ValueError("a make in a directory that cannot be")
    return make


def _is_path(path: str) -> bool:
    """Whether a text is empty or an absolute path that the system could take. A relative one would lead anywhere."""
    return not path or (path.startswith("/") and "\0" not in path and len(path) <= _PATH_LIMIT)


def _checked(value: object, kind: type) -> Any:
    """A stored value as the value of a field of this type. Raises ValueError if it has another type."""
    if kind is tuple and isinstance(value, list | tuple):
        return tuple(_checked(text, str) for text in value)
    if type(value) is not kind:
        raise ValueError(f"a value that is no {kind.__name__}")
    if isinstance(value, str):  # bytes that are not UTF-8 get the form that `_text` gives to those of a target
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return value


def _make(words: list[bytes]) -> Make:
    values: dict[str, object] = {}
    for word in words[1:]:
        name, _, text = word.decode("ascii").partition("=")
        kind = _TYPES.get(name)
        if kind is bool:
            values[name] = {"0": False, "1": True}[text]
        elif kind is int:
            values[name] = int(text)
        elif kind is tuple:
            values[name] = tuple(_text(goal.encode()) for goal in text.split("&") if goal)
        elif kind is str:
            values[name] = _text(text.encode())
    return make_from(values)


def parse(data: bytes) -> Contents:
    """All entries of a record that can be read. An entry that cannot be read is counted in `torn`, and is skipped."""
    contents = Contents()
    seen = set()  # each line of a target repeats what the target needs
    for entry in data.split(b"\n"):
        if not entry:
            continue
        try:
            words = record_format.split_entry(entry)
            if words[0] == b"L":
                contents.lines.append(_line(words))
            elif words[0] == b"P":
                if entry not in seen:
                    seen.add(entry)
                    key, needs = _needs(words)
                    if needs is not None:
                        contents.needs.append((key, needs))
            elif words[0] == b"M":
                contents.makes.append(_make(words))
            elif words[0] == b"R" and int(words[1]) == record_format.VERSION:
                contents.run, contents.identity = words[2].decode("ascii"), words[3].decode("ascii")
            else:
                contents.torn += 1
        except (ValueError, KeyError, TypeError, IndexError, AttributeError):
            contents.torn += 1
    return contents
