"""The declaration of one property of an event, and what its values may be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

Value = str | int | bool
KINDS = ("string", "integer", "boolean")
SCOPES = ("run", "target")
LONGEST = 100  # characters of a metric's text
MOST = 2**53  # whole numbers that every reader of JSON keeps exactly
_TEXT = 300
_CHOICES = 100
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
# What means the same in Python's expressions and in those of JSON Schema (ECMA 262), and cannot take long: no groups,
# no look-around, a backslash only in front of a sign, and few repetitions of unknown length.
_STRANGE = re.compile(r"[()]|\\[A-Za-z0-9]|[^ -~]")
_REPETITION = re.compile(r"[*+?]|\{[0-9]*,[0-9]*\}")
_REPETITIONS = 4
# What JSON Schema writes for Python's \w: literal, since the two name the letters beyond ASCII differently.
_WORD = "0-9A-Za-z_\u00aa-\U0010ffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """One thing that an event may carry. `values` says in words what the other fields allow.

    `kind` is a type of JSON: string, integer or boolean. A string is one of `choices`, or else matches `pattern`; an
    integer is from `least` to `most`. `example` is a value that is allowed. `sources` are the files that make it.
    `always` is whether each event has it; `scope` whether it is told of a run or of a target. `provider` is the
    distribution that makes it, empty for make-metrics itself.
    """

    name: str
    kind: str
    values: str
    purpose: str
    example: Value
    sources: tuple[str, ...]
    always: bool = True
    scope: str = "target"
    choices: tuple[str, ...] = ()
    pattern: str = ""
    least: int = 0
    most: int = 0
    provider: str = ""

    def allows(self, value: object) -> bool:
        """Whether a value may be sent."""
        if self.kind == "boolean":
            return isinstance(value, bool)
        if self.kind == "integer":
            return isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most
        if not isinstance(value, str):
            return False
        return value in self.choices if self.choices else re.fullmatch(self.pattern, value) is not None

    @property
    def shape(self) -> str:
        """What is allowed, without an author's words."""
        if self.kind == "boolean":
            return "true or false"
        if self.kind == "integer":
            return f"{self.least} to {self.most}"
        return f"one of {', '.join(self.choices)}" if self.choices else f"text that matches {self.pattern}"

    def schema(self) -> dict[str, Any]:
        """The property as JSON Schema (2020-12)."""
        found: dict[str, Any] = {"type": self.kind, "description": f"{self.purpose}: {self.values}"}
        if self.kind == "integer":
            found |= {"minimum": self.least, "maximum": self.most}
        elif self.choices:
            found |= {"enum": list(self.choices)}
        elif self.kind == "string":
            found |= {"pattern": f"^(?:{self.pattern.replace(chr(92) + 'w', _WORD)})$"}
        return found | {"examples": [self.example]}


def shown(value: Value) -> str:
    """A value as JSON writes it, without quotation marks."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def fault(found: Property) -> str:
    """What is wrong with a metric's declaration, in a line; empty for a sound one. Never raises, whatever is in it."""
    texts = {"identifier": found.name, "kind": found.kind, "values": found.values, "purpose": found.purpose}
    for name, text in texts.items():
        if not isinstance(text, str) or not text or not text.isprintable() or len(text) > _TEXT:
            return f"{name} must be a text of one line, at most {_TEXT} characters"
    if not _NAME.fullmatch(found.name):
        return "identifier must be small letters, digits and _, at most 50, beginning with a letter"
    if found.kind not in KINDS:
        return f"kind must be one of {', '.join(KINDS)}"
    if not isinstance(found.scope, str) or found.scope not in SCOPES:
        return f"scope must be one of {', '.join(SCOPES)}"
    wrong = {"string": _string, "integer": _integer}.get(found.kind, _nothing)(found)
    if wrong:
        return wrong
    return "" if found.allows(found.example) else "example must be a value that the declaration allows"


def _nothing(_: Property) -> str:
    return ""


def _integer(found: Property) -> str:
    if type(found.least) is not int or type(found.most) is not int or not -MOST <= found.least <= found.most <= MOST:
        return "least and most must be whole numbers, least no more than most, and neither beyond 2**53"
    return ""


def _string(found: Property) -> str:
    choices, pattern = found.choices, found.pattern
    if not isinstance(choices, tuple) or not isinstance(pattern, str) or bool(choices) == bool(pattern):
        return "a string must have either choices (a tuple of texts) or a pattern"
    fit = all(isinstance(one, str) and one.isprintable() and 0 < len(one) <= LONGEST for one in choices)
    if not fit or len(choices) > _CHOICES:
        return f"choices must be at most {_CHOICES} texts of one line, of at most {LONGEST} characters"
    if _STRANGE.search(pattern) or len(_REPETITION.findall(pattern)) > _REPETITIONS or len(pattern) > _TEXT:
        return (
            f"pattern must be plain: no groups, a backslash only in front of a sign, at most {_REPETITIONS} repetitions"
        )
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"pattern is none: {error}"
    return ""
