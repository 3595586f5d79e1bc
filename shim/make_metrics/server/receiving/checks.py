"""What the registry allows, as one fast test for each property: a batch is a hundred events of twenty properties."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from make_metrics.properties.labels import PREFIX
from make_metrics.properties.property import Property
from make_metrics.properties.registry import CHOICE, ENVELOPE, OPTIONAL, PROPERTIES, without_slashes

Test = Callable[[object], bool]

_LABEL_NAME = re.compile(rf"{PREFIX}[a-z][a-z0-9_]{{0,29}}")
_LABEL_TEXT = re.compile(r"[!-~](?:[ -~]{0,48}[!-~])?")
_PROPERTY_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,49}")
NOT_DECLARED = "is not declared"
OTHER = "(other)"


def fast_test(declaration: Property) -> Test:
    """A function that says what `declaration.allows` says, in less time."""
    if declaration.kind == "boolean":
        return lambda value: value is True or value is False
    if declaration.kind == "integer":
        least, most = declaration.least, declaration.most
        return lambda value: type(value) is int and least <= value <= most
    if declaration.choices:
        choices = frozenset(declaration.choices)
        return lambda value: type(value) is str and value in choices
    match = re.compile(declaration.pattern).fullmatch
    return lambda value: type(value) is str and match(value) is not None


_BY_NAME = {entry.name: entry for entry in (*CHOICE, *PROPERTIES, *OPTIONAL)}
TESTS: dict[str, Test] = {name: fast_test(entry) for name, entry in _BY_NAME.items()}
ENVELOPE_TESTS: dict[str, Test] = {entry.name: fast_test(entry) for entry in ENVELOPE}
_SHAPES = {name: f"must be {entry.shape}" for name, entry in _BY_NAME.items()}
_COMMAND = TESTS["command"]


def is_command(value: object) -> bool:
    """Whether a value is a target's name, or a path within the project."""
    return _COMMAND(value) or (type(value) is str and "/" in value and _COMMAND(without_slashes(value)))


TESTS["command"] = is_command
_COMMIT_TIME = TESTS["git_commit_time"]
_COMMIT_TIME_LENGTH = len(str(_BY_NAME["git_commit_time"].example))  # what is longer is not remembered
_COMMITS_REMEMBERED = 4_096
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(_COMMITS_REMEMBERED)
def commit_time(text: str) -> tuple[int, int] | None:
    """A commit's time in seconds since 1970, and its offset from UTC in minutes. Many events name the same commit.

    None if there is no such time, also if there is none in UTC: an offset may lead out of the calendar.
    """
    if not _COMMIT_TIME(text):
        return None
    try:
        moment = datetime.fromisoformat(text)
        utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    offset = moment.utcoffset() or timedelta()
    return (utc - _EPOCH) // timedelta(seconds=1), offset // timedelta(minutes=1)


def is_commit_time(value: object) -> bool:
    """Whether a value is a commit's time that there is."""
    return type(value) is str and len(value) <= _COMMIT_TIME_LENGTH and commit_time(value) is not None


TESTS["git_commit_time"] = is_commit_time


def is_shown(value: object) -> bool:
    """Whether a value is a text that can be shown, of at most 200 characters."""
    return type(value) is str and 0 < len(value) <= 200 and value.isprintable()


def is_label(name: str, value: object) -> bool:
    """Whether a property is a project's label: each project has its own, so only the shape is known here."""
    return (
        name.startswith(PREFIX)
        and _LABEL_NAME.fullmatch(name) is not None
        and type(value) is str
        and _LABEL_TEXT.fullmatch(value) is not None
    )


def reason(name: str) -> str:
    """Why a value of a property is refused, in words of ours."""
    if name.startswith(PREFIX):
        return "must be a label: 1 to 50 characters of ASCII"
    return _SHAPES.get(name, NOT_DECLARED)


def countable(name: object) -> str:
    """A property's name as it is counted and shown: a stranger's own text is not kept."""
    return name if type(name) is str and _PROPERTY_NAME.fullmatch(name) else OTHER
