"""Texts that many rows share: names, directories, versions. Each is stored once, and rows hold its number."""

from __future__ import annotations

import json
import sqlite3


class Texts:
    """The table texts, for the length of one transaction or one reading. Every method may raise sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use a connection in autocommit mode."""
        self._connection = connection
        self._numbers: dict[str, int] = {"": 0}
        self._texts: dict[int, str] = {0: ""}

    def number(self, text: str) -> int:
        """The number of a text, which is stored if it is new. Needs a transaction of the caller's."""
        number = self._numbers.get(text)
        if number is None:
            row = self._connection.execute("SELECT id FROM texts WHERE text = ?", (text,)).fetchone()
            if row is None:
                number = self._connection.execute("INSERT INTO texts (text) VALUES (?)", (text,)).lastrowid or 0
            else:
                number = int(row[0])
            self._numbers[text] = number
        return number

    def text(self, number: object) -> str:
        """The text with a number; empty if a damaged store has lost it."""
        if not isinstance(number, int):
            return ""
        text = self._texts.get(number)
        if text is None:
            row = self._connection.execute("SELECT text FROM texts WHERE id = ?", (number,)).fetchone()
            text = self._texts[number] = "" if row is None else str(row[0])
        return text


def names_of(text: object) -> tuple[str, ...]:
    """A list of names from its JSON; empty if a damaged store has lost it."""
    try:
        names = json.loads(str(text or "[]"))
    except (ValueError, RecursionError):
        return ()
    return tuple(map(str, names)) if isinstance(names, list) else ()
