"""Runs that are too large to be combined at once: pieces of their records, and how far their events are written."""

from __future__ import annotations

import sqlite3

from make_metrics.combine import saved_run
from make_metrics.combine.run import Run, absorb


class Pieces:
    """The tables pieces and unfinished. Every method may raise sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use a connection in autocommit mode. Calls that belong together need a transaction of the caller's."""
        self._connection = connection

    def put(self, part: Run, *, identity: str, start: int) -> None:
        """Keep a piece of a run: the entries of a record from the byte `start` on."""
        self._connection.execute(
            "INSERT OR REPLACE INTO pieces VALUES (?, ?, ?, ?)", (part.id, identity, start, saved_run.dump(part))
        )

    def absorb_into(self, run: Run) -> bool:
        """Merge the pieces of a run into it; whether there were any. A piece that cannot be read is left out."""
        rows = self._connection.execute("SELECT state FROM pieces WHERE run = ? ORDER BY identity, start", (run.id,))
        has_pieces = False
        for (state,) in rows:
            has_pieces = True
            try:
                absorb(run, saved_run.load(state))
            except (ValueError, TypeError):
                run.torn += 1
        return has_pieces

    def done(self, run: str, total: int) -> int:
        """How many events of a run are written; 0 unless the run added up to `total` then."""
        row = self._connection.execute("SELECT done, targets FROM unfinished WHERE run = ?", (run,)).fetchone()
        return int(row[0]) if row and row[1] == total else 0

    def note_done(self, run: str, done: int, total: int) -> None:
        """Note how many events of a run are written, of a run that adds up to `total`."""
        self._connection.execute("INSERT OR REPLACE INTO unfinished VALUES (?, ?, ?)", (run, done, total))

    def finish(self, run: str) -> None:
        """Forget the pieces of a run, all of whose events are written now."""
        self._connection.execute("DELETE FROM pieces WHERE run = ?", (run,))
        self._connection.execute("DELETE FROM unfinished WHERE run = ?", (run,))

    def runs(self) -> list[str]:
        """The runs that are not combined yet as a whole."""
        rows = self._connection.execute("SELECT run FROM pieces UNION SELECT run FROM unfinished ORDER BY run")
        return [run for (run,) in rows]
