"""What a terminal of a size shows of bytes that were written to it: as much of one as our commands use."""

from __future__ import annotations

import re

_SEQUENCE = re.compile(r"\x1b\[(\?25[hl]|\d*[ABKJ]|[\d;]*m)")


class ShownScreen:
    """Rows of text, and whether the cursor is seen. What scrolls out at the top stays in `rows`."""

    def __init__(self, columns: int) -> None:
        self.columns, self.rows, self.row, self.column, self.cursor_seen = columns, [""], 0, 0, True

    def feed(self, text: str) -> None:
        """Show text; fails for a sequence that a terminal is not known to have."""
        at = 0
        while at < len(text):
            char = text[at]
            if char == "\x1b":
                match = _SEQUENCE.match(text, at)
                assert match, ascii(text[at : at + 12])
                self._command(match[1])
                at = match.end()
                continue
            if char == "\r":
                self.column = 0
            elif char == "\n":
                self.row += 1
                self.rows += [""] * (self.row + 1 - len(self.rows))
            elif char.isprintable():
                if self.column == self.columns:  # the line goes on in the next row
                    self.row, self.column = self.row + 1, 0
                    self.rows += [""] * (self.row + 1 - len(self.rows))
                line = self.rows[self.row].ljust(self.column)
                self.rows[self.row] = line[: self.column] + char + line[self.column + 1 :]
                self.column += 1
            at += 1

    def _command(self, command: str) -> None:
        kind, number = command[-1], int(command[:-1] or "1") if command[:-1].isdigit() or not command[:-1] else 0
        if command.startswith("?25"):
            self.cursor_seen = kind == "h"
        elif kind == "A":
            self.row = max(0, self.row - number)
        elif kind == "B":
            self.row = min(len(self.rows) - 1, self.row + number)
        elif kind in "KJ":
            self.rows[self.row] = self.rows[self.row][: self.column]
            if kind == "J":
                self.rows[self.row + 1 :] = []

    def resize(self, columns: int) -> None:
        """Make it as wide as this: rows that are longer are broken, as in xterm and its kin."""
        above = [
            line[at : at + columns] for line in self.rows[: self.row] for at in range(0, max(1, len(line)), columns)
        ]
        self.rows = [*above, *self.rows[self.row :]]
        self.row, self.columns = len(above), columns

    @property
    def text(self) -> str:
        """All rows."""
        return "\n".join(row.rstrip() for row in self.rows).strip("\n")
