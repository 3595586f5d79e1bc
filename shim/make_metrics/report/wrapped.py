"""Text for a terminal of some width: broken between words, and in pages. Pure."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

_LEAST = 20  # columns; in less, nothing can be read anyway
_LABEL = 7  # columns of a summary's labels
# A command that somebody may copy stays in one line.
_COMMAND = re.compile(
    r"make-metrics [a-z][a-z-]*(?: --?[a-z][\w-]*)*|make metrics-[a-z-]+|(?:pipx?|uv tool) (?:un)?install \S+|sudo .+"
)
KEPT_BLANK = "\xa0"  # textwrap does not break there


def columns(text: str) -> int:
    """How many columns a text of printable characters takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        2 if unicodedata.east_asian_width(char) in "WF" else 0 if unicodedata.combining(char) else 1 for char in text
    )


def indentation(line: str) -> int:
    """The blanks that a line begins with."""
    return len(line) - len(line.lstrip(" "))


def wrap(text: str, width: int) -> list[str]:
    """The lines of a text, each at most `width` columns wide where its words are; an indented line stays indented."""
    wrapped = []
    for line in text.splitlines():
        indent = re.match(r" *(?:\S+: +(?=\S))?", line) if line.startswith("  ") else None
        hanging = min(indent.end() if indent else 0, 16, width // 3)
        wrapped += wrap_line(line, width, " " * hanging) or [""]
    return wrapped


def continued(first: str, text: str, width: int, hanging: str) -> list[str]:
    """The lines of one line, a beginning that is never broken and a text; `hanging` begins the further lines."""
    return wrap_line(first.replace(" ", KEPT_BLANK) + text, width, hanging) or [first]


def summary(lines: Iterable[tuple[str, str]], width: int) -> list[str]:
    """Lines of a label and a text each, as `wrap` gives them; a text without a label stands at the left."""
    wrapped = []
    for label, text in lines:
        first = f"  {label + ':':{_LABEL}}" if label else ""
        wrapped += wrap_line(first + text, width, " " * len(first))
    return wrapped


def pages(lines: Sequence[str], height: int) -> Iterator[list[str]]:
    """Lines in pages of a terminal of `height` rows, one of which a question between two pages takes."""
    size = max(height - 1, 1)
    for start in range(0, len(lines), size):
        yield list(lines[start : start + size])


def wrap_line(line: str, width: int, hanging: str) -> list[str]:
    """The lines of one line; `hanging` begins the further ones. A command that somebody may copy stays whole."""
    # A wide character counts as two: textwrap counts characters.
    wide = columns(line) - len(line)
    width = max(width - wide if wide > 0 else width, _LEAST, len(hanging) + 10)
    line = _COMMAND.sub(lambda command: command[0].replace(" ", KEPT_BLANK), line)
    lines = textwrap.wrap(
        line, width, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )
    return [each.replace(KEPT_BLANK, " ") for each in lines]
