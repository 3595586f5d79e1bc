"""TOML files that people write: parse one, and check its values. Each problem is one line for people, or three."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from make_metrics.errors import did_you_mean
from make_metrics.files.visible import is_visible

_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)")  # in tomllib's messages
_SHOWN = 70  # characters of a line
LONGEST = 300  # characters of a text
Rule = Callable[[Any], Any]
"""Returns a value in the form that we use. Raises ValueError with the text that follows the key in a problem's line."""


def parse_toml(content: bytes, *, secret: bool = False) -> dict[str, Any]:
    """The document; raises ValueError with a problem's line, and for an error of syntax two more: where it is.

    These two are left out if the document may hold what is `secret`.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    if not text.strip():
        return {}
    import tomllib  # takes a while to load: few people have such a file

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problem = _syntax_problem(str(error), text)
        raise ValueError(problem.partition("\n")[0] if secret else problem) from None
    except (RecursionError, ValueError):
        raise ValueError("is not TOML: too deep, or a number too long") from None


def _syntax_problem(message: str, text: str) -> str:
    """tomllib's message, then the line that it is about, and a caret below the character."""
    match = _PLACE.search(message)
    lines = text.replace("\r\n", "\n").split("\n")
    if match is None:  # at the end of the document
        rows = [number for number, line in enumerate(lines) if line.strip()]
        row = rows[-1] if rows else 0
        column = len(lines[row])
    else:
        row, column = int(match[1]) - 1, int(match[2]) - 1
    what = _printable(_PLACE.sub("", message).removesuffix(" (at end of document)"))
    line = lines[row] if row < len(lines) else ""
    start = max(column - _SHOWN // 2, 0)
    # Each character is shown as one, so that the caret stands below its own.
    shown = "".join(char if char.isprintable() else " " for char in line[start : start + _SHOWN])
    what = what.replace("Illegal character '\\n'", "this line ends too early")
    return f"is not TOML: line {row + 1}: {what}\n    {shown}\n    {' ' * (column - start)}^"


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def check(table: Mapping[str, object], rules: Mapping[str, Rule]) -> tuple[dict[str, Any], list[str]]:
    """The values of a table that its keys' rules accept, and a problem's line for each other value with a rule."""
    values, problems = {}, []
    for key, rule in rules.items():
        if key in table:
            try:
                values[key] = rule(table[key])
            except ValueError as error:
                problems.append(f"{key}: {error}")
    return values, problems


def unknown_keys(table: Mapping[str, object], rules: Mapping[str, Rule]) -> list[str]:
    """A problem's line for each key of a table that has no rule."""
    return [f"{printable_key(key)}: unknown key{did_you_mean(key, rules)}" for key in table if key not in rules]


def printable_key(key: str) -> str:
    """A key for a problem's line: a key that is long, or has characters that do not print, is cut or escaped."""
    return key if key.isprintable() and len(key) < 80 else ascii(key[:80])


def text(value: object) -> str:
    """The rule for a text of one line; blanks around it are removed."""
    if not isinstance(value, str):
        raise ValueError("must be a text")
    if not value.isprintable() or len(value) > LONGEST:
        raise ValueError(f"must be one line of at most {LONGEST} characters")
    if value.strip() and not is_visible(value):
        raise ValueError("must show all its characters: one of them cannot be seen")
    return value.strip()


def flag(value: object) -> bool:
    """The rule for true or false."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def where(accepts: Callable[[Any], object], says: str, *, of: Rule = lambda value: value) -> Rule:
    """The rule for a value that fits the rule `of` and for which `accepts` is true; `says` is the problem otherwise."""

    def rule(value: object) -> object:
        checked = of(value)
        if not accepts(checked):
            raise ValueError(says)
        return checked

    return rule
