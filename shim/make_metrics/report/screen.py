"""Lines of words and numbers: on a terminal they fit its width and have colours, elsewhere they are whole and plain."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from make_metrics.environment import output_may_be_terminal, refuses_colours
from make_metrics.printable import printable
from make_metrics.report.wrapped import KEPT_BLANK, columns, indentation, wrap_line

if TYPE_CHECKING:  # takes longer to load than what most commands do
    from rich.console import Console

_LEAST = 12  # columns that a shortened name keeps
_CUT = "..."
_GAP = "  "  # ends a column of numbers
_REMARK = re.compile(r"\([^()]{1,16}\)")


class Part(NamedTuple):
    """A part of a line: its text, its style on a terminal, and whether it may be shortened in the middle."""

    text: str
    style: str = ""
    shrinks: bool = False


def name(text: str, style: str = "") -> Part:
    """A name, which is shortened where it does not fit; what does not print is escaped."""
    return Part(printable(text), style, shrinks=True)


def shortened(text: str, width: int) -> str:
    """A text in no more than `width` columns, without its middle if it is too long."""
    if columns(text) <= width:
        return text
    if width <= len(_CUT):
        return _CUT[: max(0, width)]
    front, back, left = "", "", width - len(_CUT)
    for index, _ in enumerate(text):
        from_end = index % 2 == 0
        char = text[-1 - len(back)] if from_end else text[len(front)]
        left -= columns(char)
        if left < 0:
            break
        front, back = (front, char + back) if from_end else (front + char, back)
    return f"{front}{_CUT}{back}"


def fitted(parts: Sequence[Part], width: int) -> list[Part]:
    """A line in `width` columns: the longest names are shortened first, and none to less than twelve columns."""
    fitting = list(parts)
    while (excess := sum(columns(part.text) for part in fitting) - width) > 0:
        lengths = [(columns(part.text), index) for index, part in enumerate(fitting) if part.shrinks]
        longest, index = max(lengths, default=(0, 0))
        if longest <= _LEAST:
            break
        part = fitting[index]
        fitting[index] = part._replace(text=shortened(part.text, max(_LEAST, longest - excess)))
    return fitting


def rows(parts: Sequence[Part], width: int) -> Iterator[list[Part]]:
    """The rows of a line that is `width` columns wide at most: broken between words if its names are short enough.

    Further rows stand below the text that follows a column of numbers, or are indented. A short remark in brackets
    stays whole.
    """
    fitting = fitted(parts, width)
    whole = "".join(part.text for part in fitting)
    if columns(whole) <= width:
        yield fitting
        return
    indent = indentation(whole)
    if len(fitting) > 1:
        first = columns(fitting[0].text) if fitting[0].text.endswith(_GAP) else width
        indent = first if first <= width // 2 else indent + len(_GAP)
    place = 0
    kept = _REMARK.sub(lambda remark: remark[0].replace(" ", KEPT_BLANK), whole)
    for at, row in enumerate(wrap_line(kept, width, " " * indent)):
        text = row[indent:] if at else row
        place = whole.index(text, place)
        yield [*([Part(" " * indent)] if at else []), *_between(fitting, place, place + len(text))]
        place += len(text)


def _between(parts: Sequence[Part], start: int, end: int) -> Iterator[Part]:
    """The parts of a line from one character to another."""
    for part in parts:
        if text := part.text[max(start, 0) : max(end, 0)]:
            yield part._replace(text=text)
        start, end = start - len(part.text), end - len(part.text)


def console_of_output() -> Console:
    """Standard output, where no word is markup. With NO_COLOR nothing has a style: rich alone would leave it bold."""
    from rich.console import Console

    colours: Literal["auto"] | None = None if refuses_colours() else "auto"
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, color_system=colours)


def show(lines: Iterable[Sequence[Part]]) -> None:
    """Write lines to standard output."""
    if not output_may_be_terminal():  # rich takes longer to load than what most commands do
        for parts in lines:
            sys.stdout.write("".join(part.text for part in parts).rstrip() + "\n")
        return
    from rich.text import Text

    console = console_of_output()
    for parts in lines:
        if console.is_terminal:
            for row in rows(parts, console.width):
                text = Text.assemble(*((part.text, part.style) for part in row))
                text.rstrip()
                console.print(text, soft_wrap=True)
        else:
            sys.stdout.write("".join(part.text for part in parts).rstrip() + "\n")
