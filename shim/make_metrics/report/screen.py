"""Lines of words and numbers: on a terminal they fit its width and have colours, elsewhere they are whole and plain."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from make_metrics.environment import output_may_be_terminal
from make_metrics.report.printable import printable
from make_metrics.report.wrapped import columns

_LEAST = 12  # columns that a shortened name keeps
_CUT = "..."


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


def show(lines: Iterable[Sequence[Part]]) -> None:
    """Write lines to standard output."""
    if not output_may_be_terminal():  # rich takes longer to load than what most commands do
        for parts in lines:
            sys.stdout.write("".join(part.text for part in parts).rstrip() + "\n")
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    for parts in lines:
        if console.is_terminal:
            text = Text.assemble(*((part.text, part.style) for part in fitted(parts, console.width)))
            text.rstrip()
            console.print(text)  # if it is still too long, it is broken between words
        else:
            sys.stdout.write("".join(part.text for part in parts).rstrip() + "\n")
