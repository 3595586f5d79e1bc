"""Lines at the bottom of a terminal that are written again in place: what it takes to change them. Pure.

The cursor rests at the start of the row below the lines. Only rows that changed are written, and no row is cleared
before it is written: nothing flickers.
"""

from __future__ import annotations

from collections.abc import Sequence

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
_CLEAR_REST, _CLEAR_BELOW = "\x1b[K", "\x1b[J"


def change(old: Sequence[str], new: Sequence[str]) -> str:
    """What turns the lines `old`, which the terminal shows, into `new`; empty if they are the same.

    A line is text with styles, and narrower than the terminal.
    """
    text, row = "", len(old)
    for at, line in enumerate(new[: len(old)]):
        if line != old[at]:
            text += _moved(row, at) + line + _CLEAR_REST
            row = at
    if len(new) < len(old):
        return text + _moved(row, len(new)) + _CLEAR_BELOW
    if text or len(new) > len(old):
        text += _moved(row, len(old))
    return text + "".join(f"{line}{_CLEAR_REST}\r\n" for line in new[len(old) :])


def _moved(row: int, to: int) -> str:
    """From a row of the lines to the start of another one."""
    if to == row:
        return "\r"
    return f"\x1b[{row - to}A\r" if to < row else f"\x1b[{to - row}B\r"


def removal(widths: Sequence[int], columns: int) -> str:
    """What removes lines of these widths, in a terminal that now has `columns` and may have broken them into rows."""
    rows = sum(max(1, -(-width // max(1, columns))) for width in widths)
    return (f"\x1b[{rows}A" if rows else "") + f"\r{_CLEAR_BELOW}"
