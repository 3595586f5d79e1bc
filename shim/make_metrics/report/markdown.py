"""Markdown for a pull request or a CI job's summary, in which names of targets are only text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from make_metrics.printable import printable


def code(text: str) -> str:
    """A name as a code span, also in a cell of a table."""
    text = printable(text).replace("|", "\\|") or " "
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    space = " " if text[0] == "`" or text[-1] == "`" else ""
    return f"{fence}{space}{text}{space}{fence}"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table. A heading that begins with ">" is of a column of numbers. Cells are Markdown already."""
    names = [heading.removeprefix(">") for heading in headings]
    rules = ["---:" if heading.startswith(">") else "---" for heading in headings]
    return [f"| {' | '.join(cells)} |" for cells in (names, rules, *rows)]
