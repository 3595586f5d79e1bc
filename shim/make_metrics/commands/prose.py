"""Sentences of a command's answer: broken between words at a terminal's width, and left as they are anywhere else."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to load than this module
    from typing import TextIO

CONTINUED = "  "


def show(text: str, *, hanging: str = "", stream: TextIO | None = None) -> None:
    """Write lines to standard output, or to `stream`. `hanging` begins what a line goes on with on a terminal."""
    show_after([("", line) for line in text.splitlines()], hanging=hanging, stream=stream)


def show_after(lines: Iterable[tuple[str, str]], *, hanging: str | None = None, stream: TextIO | None = None) -> None:
    """Write lines, each a beginning that is never broken and a text.

    `hanging` begins what a line goes on with; without it that stands below the text's first word.
    """
    out = sys.stdout if stream is None else stream
    if not out.isatty():
        out.write("".join(f"{first}{text}\n" for first, text in lines))
        return
    from make_metrics.report.wrapped import continued, wrap  # only here: every command imports this module

    columns = terminal_size().columns
    for first, text in lines:
        if first or hanging:
            indent = " " * len(first) if hanging is None else hanging
            wrapped = continued(first, text, columns, indent)
        else:
            wrapped = wrap(text, columns) or [""]
        out.write("".join(f"{line}\n" for line in wrapped))


def terminal_size() -> os.terminal_size:
    """The size of the terminal; 80 columns and 24 rows if it does not say."""
    import shutil  # only here: it loads the libraries of archives

    size = shutil.get_terminal_size()
    return os.terminal_size((size.columns or 80, size.lines or 24))
