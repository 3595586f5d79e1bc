"""What a crash report may contain, declared once: everything else stays on this machine. Pure.

The notice of `make-metrics crash-reports on`, docs/transparency.md and the check of each report are made from these
declarations. The names are those of Sentry's event payloads (https://develop.sentry.dev/sdk/data-model/event-payloads).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from make_metrics.dataclass import dataclass
from make_metrics.properties.property import Property

PACKAGE = "make_metrics"


@dataclass(frozen=True, slots=True)
class Frame:
    """One call on the way to a failure: file, line and function; `package_path` is `make_metrics/...`, or empty."""

    file: str
    line: int
    function: str
    package_path: str


@dataclass(frozen=True, slots=True)
class Failure:
    """One exception: its type, its message, and its frames, the innermost last."""

    type: str
    text: str
    frames: tuple[Frame, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEntry:
    """A failure of ours in the log. Times are nanoseconds since the epoch.

    `first_ns` and `last_ns` are when it happened. `allowed`: the environment then, and that of every make above, let
    data leave this machine. `failures` are the exception and its causes, the first cause first. `outcome` is what the
    receiver did with its report; empty if no report was sent.
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
    outcome: str


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


def report(entry: LogEntry, own_message: Callable[[Frame, str], str]) -> dict[str, Any] | None:
    """The report of a failure, as an event of Sentry's; None if what a report must have is missing or not allowed.

    `own_message` returns a message if the frame's line in our source has it word for word, else an empty text.
    """
    event = _allowed_values(EVENT, event_id=entry.id, platform="python", release=f"make-metrics@{entry.version}")
    tags = _allowed_values(TAGS, system=entry.system, machine=entry.machine, python=entry.python, make=entry.make)
    exceptions = [
        exception for failure in entry.failures if (exception := _exception(failure, own_message)) is not None
    ]
    if event is None or not any("stacktrace" in exception for exception in exceptions):
        return None
    return {**event, "tags": tags, "exception": {"values": exceptions}}


def _exception(failure: Failure, own_message: Callable[[Frame, str], str]) -> dict[str, Any] | None:
    innermost = failure.frames[-1] if failure.frames else None
    message = own_message(innermost, failure.text) if innermost and innermost.package_path else ""
    exception = _allowed_values(EXCEPTION, type=failure.type, value=message)
    frames = [values for frame in failure.frames if (values := _frame(frame)) is not None]
    return {**exception, "stacktrace": {"frames": frames}} if exception is not None and frames else exception


def _frame(frame: Frame) -> dict[str, Any] | None:
    return _allowed_values(FRAME, filename=frame.package_path, function=frame.function, lineno=frame.line)


def _allowed_values(fields: tuple[Property, ...], **values: object) -> dict[str, Any] | None:
    """Those of the values that their declarations allow; None if a required one is not among them."""
    allowed = {field.name: values[field.name] for field in fields if field.allows(values[field.name])}
    return allowed if all(field.name in allowed for field in fields if field.always) else None


def check(event: object) -> list[str]:
    """What in an event is not allowed, or is missing; empty if it may be sent. Checked again before each request."""
    if not isinstance(event, dict):
        return ["no event"]
    exceptions = event.get("exception", {}).get("values", [])
    problems = _problems("", EVENT, event, {"tags", "exception"}) + _problems("tags.", TAGS, event.get("tags"), set())
    problems += [name for name in event.get("exception", {}) if name != "values"]
    for exception in exceptions:
        problems += _problems("exception.", EXCEPTION, exception, {"stacktrace"})
        trace = exception.get("stacktrace", {"frames": []})
        problems += [name for name in trace if name != "frames"]
        for frame in trace["frames"]:
            problems += _problems("frame.", FRAME, frame, set())
    return problems


def _problems(prefix: str, fields: tuple[Property, ...], values: object, containers: set[str]) -> list[str]:
    """The names of values that are not allowed and of those that are missing; `containers` are checked elsewhere."""
    if not isinstance(values, dict):
        return [f"{prefix[:-1]} is missing"]
    declared = {field.name: field for field in fields}
    wrong = [
        name
        for name in values
        if name not in containers and (name not in declared or not declared[name].allows(values[name]))
    ]
    missing = [field.name for field in fields if field.always and field.name not in values]
    return [f"{prefix}{name}" for name in wrong + missing]
