"""The rows of a damaged table, as far as SQLite reads them."""

from __future__ import annotations

import sqlite3
import struct
import time
from typing import Any

from make_metrics.dataclass import dataclass, field

# What SQLite and Python raise on the bytes of a damaged store.
ERRORS = (sqlite3.Error, UnicodeError, ValueError, OverflowError, struct.error, IndexError)
_HALVINGS = 10

Key = tuple[Any, ...]
Row = tuple[Any, ...]


@dataclass(slots=True)
class Table:
    """A table of the damaged store. `columns` and `kinds` are names and types, `key` the names of its key's columns."""

    connection: sqlite3.Connection
    name: str
    columns: list[str]
    kinds: list[type]
    key: list[str]
    give_up: float
    lost: bool = False
    rows: list[Row] = field(default_factory=list)

    def read(self, low: Key | None = None, high: Key | None = None, halvings: int = _HALVINGS) -> None:
        """Read the rows between two keys, without these."""
        first, failed = self.scan(low, high, "ASC")
        self.rows += first
        if not failed:
            return
        self.lost = True
        low = self._key_of(first[-1]) if first else low
        last, failed = self.scan(low, high, "DESC")
        self.rows += last
        high = self._key_of(last[-1]) if last else high
        # If neither end has a row, the page that leads to both is damaged: see `store.damaged.pages`.
        is_open = failed and halvings and (first or last)
        if is_open and (middle := self._between(low, high)) and time.monotonic() < self.give_up:
            self.read(low, middle, halvings - 1)
            self.read(middle, high, halvings - 1)

    def scan(self, low: Key | None, high: Key | None, order: str) -> tuple[list[Row], bool]:
        """The rows up to the first that raises, and whether one did."""
        names, marks = f"({', '.join(self.key)})", f"({', '.join('?' * len(self.key))})"
        conditions = [f"{names} {sign} {marks}" for sign, bound in ((">", low), ("<", high)) if bound is not None]
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        by = ", ".join(f"{name} {order}" for name in self.key)
        query = f"SELECT {', '.join(self.columns)} FROM {self.name} {where} ORDER BY {by}"  # noqa: S608
        rows: list[Row] = []
        try:
            for row in self.connection.execute(query, (*(low or ()), *(high or ()))):
                rows.append(row)
                if time.monotonic() > self.give_up:
                    return rows, True
        except ERRORS:
            return rows, True
        return rows, False

    def _key_of(self, row: Row) -> Key:
        return tuple(row[self.columns.index(name)] for name in self.key)

    def _between(self, low: Key | None, high: Key | None) -> Key | None:
        """A key about halfway between two others; None if there is none."""
        are_numbers = [self.kinds[self.columns.index(name)] is int for name in self.key]
        lowest = tuple(0 if is_number else "" for is_number in are_numbers)
        low = low or lowest
        high = high or tuple(
            2 * each + 1024 if is_number else "\x7f" for is_number, each in zip(are_numbers, low, strict=True)
        )
        for at, (left, right) in enumerate(zip(low, high, strict=True)):
            if left != right:
                middle = (left + right) // 2 if are_numbers[at] else _middle_text(str(left), str(right))
                return None if middle == left else (*low[:at], middle, *lowest[at + 1 :])
        return None

    def is_sound(self, row: Row) -> bool:
        """Whether each value of a row has its column's type."""
        return all(value is None or isinstance(value, kind) for value, kind in zip(row, self.kinds, strict=True))


def _middle_text(left: str, right: str) -> str:
    """A text between two others, from their first eight characters that differ."""
    start = next((at for at, (one, other) in enumerate(zip(left, right, strict=False)) if one != other), 0)
    start = start or min(len(left), len(right)) * (left[: len(right)] == right[: len(left)])
    numbers = [sum(min(ord(char), 127) << 7 * (7 - at) for at, char in enumerate(text[start : start + 8]))
               for text in (left, right)]  # fmt: skip
    middle = sum(numbers) // 2
    return left[:start] + "".join(chr(middle >> 7 * (7 - at) & 127) for at in range(8)).rstrip("\0")
