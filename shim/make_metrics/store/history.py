"""How much the store keeps, and how long. What tells the least is given up first.

1. Recipe lines of their own, of all but the newest runs.
2. Saved states, which late lines are merged into.
3. The oldest runs.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection

from make_metrics.dataclass import dataclass
from make_metrics.store import bounds
from make_metrics.store.bounds import DAY_NS
from make_metrics.store.store import Store

KEEP_NS = 90 * DAY_NS
KEEP_STATE_NS = 7 * DAY_NS
LIMIT_LINES = 250_000  # about 7 MB
_TEXTS_NS = 7 * DAY_NS
_KEPT_RUNS = 10  # the latest stay, however large they are

# Notes: the start of the newest run that has lost its lines, or that was given up because of the store's size.
LINES_UNTIL, SIZE_UNTIL, TEXTS_CLEANED = "lines_until_ns", "size_until_ns", "texts_cleaned_ns"


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back the store reaches. Times are nanoseconds since the epoch, 0 for none.

    `oldest_ns` is the start of the oldest run, `lines_ns` that of the oldest one whose recipe lines are kept.
    `size_until_ns` is the start of the newest run that was given up because of the store's size.
    """

    runs: int
    oldest_ns: int
    lines_ns: int
    size_until_ns: int
    bytes: int


class History:
    """The bounds of one store. Every method may raise sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use a connection in autocommit mode."""
        self._connection = connection
        self._store = Store(connection)

    def reach(self) -> Reach:
        """How far back the store reaches."""
        runs, oldest_ns = self._connection.execute(
            "SELECT count(*), coalesce(min(started_ns), 0) FROM builds"
        ).fetchone()
        until_ns = self._note(LINES_UNTIL)
        lines_ns = self._number("SELECT coalesce(min(started_ns), 0) FROM builds WHERE started_ns > ?", until_ns)
        return Reach(runs, oldest_ns, lines_ns, self._note(SIZE_UNTIL), self.used_bytes())

    def prune(
        self, *, now_ns: int, written: Collection[str] = (), limit_bytes: int = bounds.HISTORY_BYTES,
        limit_lines: int = LIMIT_LINES,
    ) -> int:  # fmt: skip
        """Delete what is too old, then what tells the least until the store holds no more than `limit_bytes`.

        The runs `written`, and the ten that were combined last, stay whatever they take. Returns how many runs the
        bound has cost.
        """
        oldest_ns, kept = now_ns - KEEP_NS, json.dumps(list(written))
        with self._store.transaction():
            rows = self._connection.execute(
                "SELECT number FROM builds WHERE started_ns < ?1 AND combined_ns < ?1 "
                "AND id NOT IN (SELECT value FROM json_each(?2))",
                (oldest_ns, kept),
            )
            self._store.delete([number for (number,) in rows])
            self._connection.execute(
                "DELETE FROM states WHERE build IN (SELECT number FROM builds WHERE combined_ns < ?)",
                (now_ns - KEEP_STATE_NS,),
            )
            self._connection.execute("DELETE FROM records WHERE seen_ns < ?", (oldest_ns,))
            self._thin_lines(limit_lines)
        deleted = 0
        if self.used_bytes() > limit_bytes:  # other kinds of data have bounds of their own
            limit_bytes += bounds.other_bytes(self._connection)
        while self.used_bytes() > limit_bytes and (count := self._give_up(kept)) is not None:
            deleted += count
        bounds.note(self._connection, bounds.RUNS, deleted, now_ns=now_ns)
        if now_ns - self._note(TEXTS_CLEANED) > _TEXTS_NS:
            with self._store.transaction():
                self.delete_unused_texts()
                self._put_note(TEXTS_CLEANED, now_ns)
        if self._number("PRAGMA freelist_count"):
            # This pragma returns a row for each freed page. `execute` would stop at the first one.
            self._connection.executescript("PRAGMA incremental_vacuum")
        return deleted

    def used_bytes(self) -> int:
        """The size of the store's contents in bytes, without free pages."""
        return bounds.used_bytes(self._connection)

    def _give_up(self, kept: str) -> int | None:
        """Give up a part of what tells the least; how many runs that has cost, None if nothing is left to give up."""
        with self._store.transaction():
            lines = self._number("SELECT coalesce(sum(lines), 0) FROM builds")
            if lines:
                self._thin_lines(lines // 2)
                return 0
            if states := self._number("SELECT count(*) FROM states"):
                self._connection.execute(
                    "DELETE FROM states WHERE build IN (SELECT number FROM builds JOIN states ON build = number "
                    "ORDER BY started_ns, id LIMIT ?)",
                    (1 + states // 2,),
                )
                return 0
            latest = "SELECT id FROM builds ORDER BY combined_ns DESC, id DESC LIMIT ?2"
            kept_too = "SELECT value FROM json_each(?1)"
            candidates = f"FROM builds WHERE id NOT IN ({kept_too}) AND id NOT IN ({latest})"
            count = self._number(f"SELECT count(*) {candidates}", kept, _KEPT_RUNS)
            if not count:
                return None
            rows = self._connection.execute(
                f"SELECT number, started_ns {candidates} ORDER BY started_ns, id LIMIT ?3",
                (kept, _KEPT_RUNS, 1 + count // 20),
            ).fetchall()
            self._store.delete([number for number, _ in rows])
            self._put_note(SIZE_UNTIL, rows[-1][1])
            return len(rows)

    def _thin_lines(self, limit: int) -> None:
        """Delete the lines of the oldest runs until the newest ones have no more than `limit` of them."""
        if self._number("SELECT coalesce(sum(lines), 0) FROM builds") <= limit:
            return
        rows = self._connection.execute(
            "SELECT number, started_ns FROM (SELECT number, started_ns, lines, "
            "sum(lines) OVER (ORDER BY started_ns DESC, id DESC ROWS UNBOUNDED PRECEDING) AS total FROM builds) "
            "WHERE total > ? AND lines ORDER BY started_ns",
            (limit,),
        ).fetchall()
        self._connection.executemany("DELETE FROM lines WHERE build = ?", [(number,) for number, _ in rows])
        self._connection.executemany("UPDATE builds SET lines = 0 WHERE number = ?", [(number,) for number, _ in rows])
        self._put_note(LINES_UNTIL, rows[-1][1])

    def delete_unused_texts(self) -> None:
        """Delete the texts that no row refers to any more. Needs a transaction of the caller's."""
        used = " UNION ".join(
            f"SELECT {column} FROM {table}"  # noqa: S608
            for table, columns in _REFERENCES.items()
            for column in columns
        )
        self._connection.execute(f"DELETE FROM texts WHERE id NOT IN ({used})")  # noqa: S608

    def delete_inside(self, directory: str) -> None:
        """Delete what was recorded in a directory and below: runs, and those makes of other runs that ran there.

        Needs a transaction of the caller's.
        """
        below = directory.rstrip("/") + "/"
        inside = "directory IN (SELECT id FROM texts WHERE text = ?1 OR substr(text, 1, length(?2)) = ?2)"
        rows = self._connection.execute(f"SELECT number FROM builds WHERE {inside}", (directory, below))  # noqa: S608
        self._store.delete([number for (number,) in rows])
        makes = self._connection.execute(
            f"SELECT build, number FROM makes WHERE {inside}",  # noqa: S608
            (directory, below),
        ).fetchall()
        for table, column in (("lines", "make"), ("targets", "make"), ("makes", "number")):
            self._connection.executemany(f"DELETE FROM {table} WHERE build = ? AND {column} = ?", makes)  # noqa: S608
        self._connection.executemany("DELETE FROM states WHERE build = ?", {(build,) for build, _ in makes})
        self._store.count_lines({build for build, _ in makes})
        self.delete_unused_texts()

    def _note(self, name: str) -> int:
        row = self._connection.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return row[0] if row and isinstance(row[0], int) else 0

    def _put_note(self, name: str, value: int) -> None:
        self._connection.execute("INSERT OR REPLACE INTO notes VALUES (?, ?)", (name, value))

    def _number(self, query: str, *values: int | str) -> int:
        return int(self._connection.execute(query, values).fetchone()[0])


_REFERENCES = {
    "builds": ("directory", "goals", "make_version", "commit_id", "branch"),
    "makes": ("parent_target", "directory", "goals", "make_version", "is_test"),
    "targets": ("name", "coalesce(prerequisites, 0)"),
    "lines": ("name",),
}
