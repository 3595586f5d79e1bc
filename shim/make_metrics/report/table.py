"""A table on standard output: with lines and bold headings on a terminal, else plain aligned columns."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from make_metrics.dataclass import dataclass
from make_metrics.environment import output_may_be_terminal
from make_metrics.printable import printable
from make_metrics.report.screen import console_of_output, shortened
from make_metrics.report.wrapped import columns as width_of

if TYPE_CHECKING:  # takes longer to load than what most commands do: only a terminal needs it
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

_NARROW = 12
_LEAST = 8  # columns that a name keeps where nothing else gives way
_CALM = ("0", "", "ok", "?")  # no failure
_READABLE = 24  # columns that a name keeps for as long as other columns can be left out
_WIDE = 1_000_000
_DRESSED_ROWS = 1_000  # rich takes 0.7 ms and 9 KiB a row: more, which nobody reads on a screen, are written plainly


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
    from rich import box
    from rich.table import Table

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
    from rich import box

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
    from rich.text import Text

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
        least = _READABLE if columns[goes].dropped else _LEAST
        leasts = [max(least, width_of(column.heading)) for column in columns]
        excess = sum(widths) + spaces - width
        while excess > 0:
            longest, place = max(
                (
                    (widths[place], place)
                    for place, column in enumerate(columns)
                    if column.shrinks and widths[place] > leasts[place]
                ),
                default=(0, 0),
            )
            if not longest:
                break
            # Down to the next longest one first: names of two columns are shortened alike.
            others = [size for size, column in zip(widths, columns, strict=True) if column.shrinks and size < longest]
            widths[place] = max(leasts[place], longest - excess, max(others, default=0))
            excess -= longest - widths[place]
        if excess <= 0 or not columns[goes].dropped:
            break
        columns = [*columns[:goes], *columns[goes + 1 :]]
        cells = [[*row[:goes], *row[goes + 1 :]] for row in cells]
    from rich.text import Text

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
    rows = [[printable(cell) for cell in row] for row in rows]
    if len(rows) > _DRESSED_ROWS or not output_may_be_terminal() or not _dressed(columns, rows, note):
        _write_plain(columns, rows)
        if note:
            sys.stdout.write(f"\n{note}\n")


def _dressed(columns: Sequence[Column], rows: Sequence[Sequence[str]], note: str) -> bool:
    """Write a table to a terminal; false, and nothing is written, if standard output is none."""
    from rich.text import Text

    console = console_of_output()
    if not console.is_terminal:
        return False
    cells = [
        [
            Text(cell, "bold red" if column.alarm and cell not in _CALM else "")
            for cell, column in zip(row, columns, strict=True)
        ]
        for row in rows
    ]
    _show_on_terminal(console, columns, cells)
    if note:
        console.print(Text(note, style="dim"))
    return True


def _write_plain(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Write aligned columns, one blank apart. Nothing is folded: a file or a pipe has no width."""
    headings = [column.heading for column in columns]
    widths = [width_of(heading) for heading in headings]
    for row in rows:
        widths = [max(width, width_of(cell)) for width, cell in zip(widths, row, strict=True)]
    for row in (headings, *rows):
        parts = [
            " " * (width - width_of(cell)) + cell if column.number else cell + " " * (width - width_of(cell))
            for cell, width, column in zip(row, widths, columns, strict=True)
        ]
        sys.stdout.write(" ".join(parts).rstrip() + "\n")
