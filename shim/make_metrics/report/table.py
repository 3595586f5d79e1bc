"""A table on standard output: with lines and bold headings on a terminal, else plain aligned columns."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from make_metrics.report.printable import printable
from make_metrics.report.screen import shortened

_NARROW = 12
_CALM = ("0", "", "ok", "?")  # no failure
_READABLE = 24  # columns that a name keeps for as long as other columns can be left out
_WIDE = 1_000_000  # in a file or a pipe nothing is folded


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, whether its numbers are aligned to the right, and whether it folds on a narrow screen.

    `shrinks`: its names are shortened in the middle there, in place of folding. `dropped`: where that is not enough,
    the column with the highest number is left out first; 0 for never. `alarm`: what is not 0,
    `ok` or `?` is red.
    """

    heading: str
    number: bool = False
    folds: bool = False
    shrinks: bool = False
    dropped: int = 0
    alarm: bool = False


def _table(columns: Sequence[Column], cells: Iterable[Sequence[Text]], lines: box.Box | None) -> Table:
    edge = lines is box.ROUNDED
    table = Table(box=lines, header_style="bold", show_edge=edge, pad_edge=edge, collapse_padding=not edge)
    for column in columns:
        table.add_column(
            column.heading,
            justify="right" if column.number else "left",
            no_wrap=not column.folds,
            overflow="fold",
        )
    for row in cells:
        table.add_row(*row)
    return table


def _show_on_terminal(console: Console, columns: Sequence[Column], cells: Sequence[Sequence[Text]]) -> None:
    if any(column.shrinks for column in columns):
        columns, cells = _fitted(columns, cells, console.width)
    for lines in (box.ROUNDED, box.SIMPLE_HEAD):
        table = _table(columns, cells, lines)
        natural_width = console.measure(table, options=console.options.update(max_width=_WIDE)).maximum
        if natural_width <= console.width:
            break
    widths = _widths(columns, cells)
    spare_width = sum(max(0, width - _NARROW) for width, column in zip(widths, columns, strict=True) if column.folds)
    # Never cut numbers off: if the screen is too narrow for them, let it fold the lines.
    table.width = min(natural_width, max(console.width, natural_width - spare_width))
    console.print(table, soft_wrap=True, width=table.width)


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[Text]]) -> list[int]:
    headings = [Text(column.heading) for column in columns]
    return [max(cell.cell_len for cell in column) for column in zip(headings, *cells, strict=True)]


def _fitted(
    columns: Sequence[Column], cells: Sequence[Sequence[Text]], width: int
) -> tuple[Sequence[Column], Sequence[Sequence[Text]]]:
    """The columns and cells for a width: what may be left out or shortened is, and no more than needed."""
    while True:
        widths = _widths(columns, cells)
        spaces = 2 * (len(columns) - 1)
        goes = max(range(len(columns)), key=lambda place: columns[place].dropped)
        least = _READABLE if columns[goes].dropped else _NARROW
        excess = sum(widths) + spaces - width
        while excess > 0:
            longest, place = max(
                ((widths[place], place) for place, column in enumerate(columns) if column.shrinks), default=(0, 0)
            )
            if longest <= least:
                break
            # Down to the next longest one first: names of two columns are shortened alike.
            others = [size for size, column in zip(widths, columns, strict=True) if column.shrinks and size < longest]
            widths[place] = max(least, longest - excess, max(others, default=0))
            excess -= longest - widths[place]
        if excess <= 0 or not columns[goes].dropped:
            break
        columns = [*columns[:goes], *columns[goes + 1 :]]
        cells = [[*row[:goes], *row[goes + 1 :]] for row in cells]
    fitting = [
        [
            Text(shortened(cell.plain, size), cell.style) if column.shrinks and cell.cell_len > size else cell
            for cell, column, size in zip(row, columns, widths, strict=True)
        ]
        for row in cells
    ]
    return columns, fitting


def show(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, note: str = "") -> None:
    """Write a table to standard output, and a note below it."""
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    cells = [
        [
            Text(printable(cell), "bold red" if column.alarm and cell not in _CALM else "")
            for cell, column in zip(row, columns, strict=True)
        ]
        for row in rows
    ]
    if console.is_terminal:
        _show_on_terminal(console, columns, cells)
        if note:
            console.print(Text(note, style="dim"))
        return
    plain = Console(width=_WIDE, color_system=None, force_terminal=False, highlight=False)
    with plain.capture() as captured:
        plain.print(_table(columns, cells, None))
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))
    if note:
        sys.stdout.write(f"\n{note}\n")
