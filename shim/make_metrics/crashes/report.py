"""What may be reported of a failure of ours, declared once: a list of what is allowed; all else stays here. Pure.

The notice of `make-metrics crash-reports on`, the page docs/transparency.md and the check of each report are made from
it. The names are those of Sentry's events; those of a frame and of an exception stand in a list.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from make_metrics.properties.property import Property

PACKAGE = "make_metrics"


@dataclass(frozen=True, slots=True)
class Frame:
    """One call on the way to a failure. `ours` is the file in our package (`make_metrics/...`), else empty."""

    file: str
    line: int
    function: str
    ours: str


@dataclass(frozen=True, slots=True)
class Failure:
    """One exception: its type, its words, and its frames, the innermost last."""

    type: str
    text: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One way in which something of ours failed. Times are nanoseconds since the epoch.

    `first_ns` and `last_ns` are when it was seen; `allowed` is whether the environment then, and that of every make
    above, let anything leave this machine. `failures` are an exception and its causes, the first cause first. `became`
    is what became of its report, empty as long as there was none.
    """

    path: Path
    id: str
    first_ns: int
    last_ns: int
    part: str
    version: str
    python: str
    system: str
    machine: str
    make: str
    directory: str
    allowed: bool
    failures: tuple[Failure, ...]
    became: str


def _field(
    name: str, values: str, purpose: str, example: str | int, pattern: str = "", *, always: bool = True
) -> Property:
    kind, most = ("integer", 1_000_000) if isinstance(example, int) else ("string", 0)
    return Property(
        name=name, kind=kind, values=values, purpose=purpose, example=example, always=always, pattern=pattern,
        most=most, sources=("make_metrics/crashes/report.py",),
    )  # fmt: skip


EVENT = (
    _field(
        "event_id",
        "a random number, the same when the report is sent again",
        "to count a report once",
        "0f2a51b9d7e14d349c3a2f4a3a0e6b0c",
        r"[0-9a-f]{32}",
    ),
    _field("platform", "python", "asked for by the protocol", "python", "python"),
    _field(
        "release",
        "make-metrics and its version",
        "which version fails",
        "make-metrics@0.1.0",
        r"make-metrics@[0-9][\w.+!-]{0,30}",
    ),
)
TAGS = (
    _field("system", "the operating system's name", "where it fails", "Linux", r"[A-Za-z][\w.-]{0,30}", always=False),
    _field("machine", "the kind of processor", "where it fails", "x86_64", r"[\w.-]{1,30}", always=False),
    _field("python", "Python's version", "where it fails", "3.12.1", r"[0-9]{1,3}(\.[0-9]{1,3}){2}", always=False),
    _field(
        "make",
        "the version of make; left out where there is none",
        "where it fails",
        "4.3",
        r"[0-9]{1,3}(\.[0-9]{1,3}){1,3}",
        always=False,
    ),
)
EXCEPTION = (
    _field("type", "the name of the exception's type", "what fails", "IndexError", r"[A-Za-z_]\w{0,60}"),
    _field(
        "value",
        "the exception's message, if it stands word for word in the line of our code that raised it; else left out",
        "what fails",
        "no shell",
        r"[ -~]{1,300}",
        always=False,
    ),
)
FRAME = (
    _field(
        "filename",
        "a file of make-metrics, within its package",
        "where in our code it fails",
        "make_metrics/hot/line.py",
        PACKAGE + r"(/[a-z_]{1,40}){1,4}\.py",
    ),
    _field("function", "a function of ours", "where in our code it fails", "_run", r"[\w.<>]{1,100}"),
    _field("lineno", "a line's number", "where in our code it fails", 147),
)
LISTS = (("", EVENT), ("tags.", TAGS), ("exception.", EXCEPTION), ("frame.", FRAME))


def report(entry: Entry, own_text: Callable[[Frame, str], str]) -> dict[str, Any] | None:
    """The event for a failure; None if there is none that is allowed.

    `own_text` gives a message back if the line of the frame, which is ours, says it word for word, else an empty text.
    """
    event = _only(EVENT, event_id=entry.id, platform="python", release=f"make-metrics@{entry.version}")
    tags = _only(TAGS, system=entry.system, machine=entry.machine, python=entry.python, make=entry.make)
    values = [made for failure in entry.failures if (made := _exception(failure, own_text)) is not None]
    if event is None or not values or not any("stacktrace" in one for one in values):
        return None
    return {**event, "tags": tags, "exception": {"values": values}}


def _exception(failure: Failure, own_text: Callable[[Frame, str], str]) -> dict[str, Any] | None:
    innermost = failure.frames[-1] if failure.frames else None
    said = own_text(innermost, failure.text) if innermost and innermost.ours else ""
    found = _only(EXCEPTION, type=failure.type, value=said)
    frames = [
        made
        for frame in failure.frames
        if (made := _only(FRAME, filename=frame.ours, function=frame.function, lineno=frame.line)) is not None
    ]
    return {**found, "stacktrace": {"frames": frames}} if found is not None and frames else found


def _only(fields: tuple[Property, ...], **given: object) -> dict[str, Any] | None:
    """Those of the given values that are allowed; None if one that must be there is not."""
    found = {field.name: given[field.name] for field in fields if field.allows(given[field.name])}
    return found if all(field.name in found for field in fields if field.always) else None


def check(event: object) -> list[str]:
    """What about an event is not allowed: nothing, or it is not sent. Looked at once more just before each request."""
    if not isinstance(event, dict):
        return ["no event"]
    values = event.get("exception", {}).get("values", [])
    problems = _unknown("", EVENT, event, {"tags", "exception"}) + _unknown("tags.", TAGS, event.get("tags"), set())
    problems += [name for name in event.get("exception", {}) if name != "values"]
    for one in values:
        problems += _unknown("exception.", EXCEPTION, one, {"stacktrace"})
        trace = one.get("stacktrace", {"frames": []})
        problems += [name for name in trace if name != "frames"]
        for frame in trace["frames"]:
            problems += _unknown("frame.", FRAME, frame, set())
    return problems


def _unknown(prefix: str, fields: tuple[Property, ...], given: object, below: set[str]) -> list[str]:
    if not isinstance(given, dict):
        return [f"{prefix[:-1]} is missing"]
    known = {field.name: field for field in fields}
    wrong = [name for name in given if name not in below and (name not in known or not known[name].allows(given[name]))]
    missing = [field.name for field in fields if field.always and field.name not in given]
    return [f"{prefix}{name}" for name in wrong + missing]
