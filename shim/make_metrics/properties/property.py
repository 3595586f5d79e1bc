"""The declaration of a property: its type, its allowed values, and the check of the declaration itself."""

from __future__ import annotations

import re
from typing import Any

from make_metrics.dataclass import dataclass
from make_metrics.files.visible import is_visible

Value = str | int | bool
KINDS = ("string", "integer", "boolean")
SCOPES = ("run", "target")
LONGEST = 100  # characters of a metric's value
MOST = 2**53  # whole numbers that every reader of JSON keeps exactly
_TEXT = 300
_CHOICES = 100
_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
# The regex subset that Python and ECMA 262 (JSON Schema) read alike and that cannot backtrack for long: no groups, no
# look-around, no backslash before a letter or digit, and few repetitions of variable length.
_STRANGE = re.compile(r"[()]|\\[A-Za-z0-9]|[^ -~]")
_REPETITION = re.compile(r"[*+?]|\{[0-9]*,[0-9]*\}")
_REPETITIONS = 4
# Python's \w for JSON Schema. ECMA 262's \w is ASCII only: every character from U+00AA on is let through there.
_WORD = "0-9A-Za-z_\u00aa-\U0010ffff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Property:
    """The declaration of one property of an event.

    - `kind`: its JSON type: "string", "integer" or "boolean".
    - `choices`, `pattern`: a string is one of the choices, or matches the whole pattern.
    - `least`, `most`: the bounds of an integer, both included.
    - `values`: the same in words. `example`: an allowed value.
    - `sources`: the files that compute it.
    - `always`: whether every event has it.
    - `scope`: "run" if all targets of a make share the value, else "target".
    - `provider`: the distribution that computes it, empty for make-metrics.
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
        """The allowed values in words of ours, made from the bounds, choices or pattern."""
        if self.kind == "boolean":
            return "true or false"
        if self.kind == "integer":
            return f"{self.least} to {self.most}"
        return f"one of {', '.join(self.choices)}" if self.choices else f"text that matches {self.pattern}"

    def schema(self) -> dict[str, Any]:
        """The property as JSON Schema (2020-12)."""
        schema: dict[str, Any] = {"type": self.kind, "description": f"{self.purpose}: {self.values}"}
        if self.kind == "integer":
            schema |= {"minimum": self.least, "maximum": self.most}
        elif self.choices:
            schema |= {"enum": list(self.choices)}
        elif self.kind == "string":
            schema |= {"pattern": f"^(?:{self.pattern.replace(chr(92) + 'w', _WORD)})$"}
        return schema | {"examples": [self.example]}


def shown(value: Value) -> str:
    """A value as JSON writes it, without quotation marks."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def fault(declaration: Property) -> str:
    """What is wrong with a metric's declaration, in one line; empty if nothing is.

    Never raises: the declaration's fields may have any type.
    """
    texts = {
        "identifier": declaration.name,
        "kind": declaration.kind,
        "values": declaration.values,
        "purpose": declaration.purpose,
    }
    for name, text in texts.items():
        if not isinstance(text, str) or not is_visible(text) or len(text) > _TEXT:
            return f"{name} must be a text of one line, at most {_TEXT} characters"
    if not _NAME.fullmatch(declaration.name):
        return "identifier must be small letters, digits and _, at most 50, beginning with a letter"
    if declaration.kind not in KINDS:
        return f"kind must be one of {', '.join(KINDS)}"
    if not isinstance(declaration.scope, str) or declaration.scope not in SCOPES:
        return f"scope must be one of {', '.join(SCOPES)}"
    problem = ""
    if declaration.kind == "integer":
        problem = _integer_fault(declaration)
    elif declaration.kind == "string":
        problem = _string_fault(declaration)
    if problem:
        return problem
    return "" if declaration.allows(declaration.example) else "example must be a value that the declaration allows"


def _integer_fault(declaration: Property) -> str:
    if (
        type(declaration.least) is not int
        or type(declaration.most) is not int
        or not -MOST <= declaration.least <= declaration.most <= MOST
    ):
        return "least and most must be whole numbers, least no more than most, and neither beyond 2**53"
    return ""


def _string_fault(declaration: Property) -> str:
    choices, pattern = declaration.choices, declaration.pattern
    if not isinstance(choices, tuple) or not isinstance(pattern, str) or bool(choices) == bool(pattern):
        return "a string must have either choices (a tuple of texts) or a pattern"
    are_texts = all(isinstance(text, str) and is_visible(text) and len(text) <= LONGEST for text in choices)
    if not are_texts or len(choices) > _CHOICES:
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
