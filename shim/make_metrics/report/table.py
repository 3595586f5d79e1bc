"""A table on standard output: with lines and bold headings on a terminal, else plain aligned columns."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from make_metrics.report.printable import printable

_NARROW = 12
_WIDE = 1_000_000  # in a file or a pipe nothing is folded


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its heading, whether its numbers are aligned to the right, and whether it folds on a narrow screen."""

    heading: str
    number: bool = False
    folds: bool = False


def local_time(wall_ns: int) -> str:
    """Nanoseconds since the epoch as local time to the minute: `2021-05-17 19:44`."""
    return datetime.fromtimestamp(wall_ns // 1_000_000_000).astimezone().strftime("%Y-%m-%d %H:%M")


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
    for lines in (box.ROUNDED, box.SIMPLE_HEAD):
        table = _table(columns, cells, lines)
        natural_width = console.measure(table, options=console.options.update(max_width=_WIDE)).maximum
        if natural_width <= console.width:
            break
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    spare_width = sum(max(0, width - _NARROW) for width, column in zip(widths, columns, strict=True) if column.folds)
    # Never cut numbers off: if the screen is too narrow for them, let it fold the lines.
    table.width = min(natural_width, max(console.width, natural_width - spare_width))
    console.print(table, soft_wrap=True, width=table.width)


def show(columns: Sequence[Column], rows: Iterable[Sequence[str]], *, note: str = "") -> None:
    """Write a table to standard output, and a note below it."""
    console = Console(file=sys.stdout, highlight=False, markup=False, emoji=False)
    cells = [[Text(printable(cell)) for cell in row] for row in rows]
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
