"""Reading what can be read of a damaged store, row by row, into a new one.

SQLite's own recovery is not part of Python's `sqlite3`. Rows are read in the order of their key until a damaged page
raises, then from the other end, then in the halves between. `store.damaged.pages` reads what is behind a damaged page.
A damaged schema is replaced by the one of the new store, whose tables lie on the same pages: every store is made by
the same steps.
"""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import struct
import time
from collections.abc import Sequence
from pathlib import Path

from make_metrics.store.damaged.pages import Pages
from make_metrics.store.damaged.table import ERRORS, Row, Table

_HEADER = 100  # SQLite's file format, section 1.3
_FEW_ROOTS = 2
# What would be counted or sent twice comes first, in case that the time runs out.
_ORDER = ("records", "pieces", "delivered", "attempts", "resting", "clock", "dropped", "given_up", "troubles", "notes",
          "texts", "builds", "makes", "runs", "outbox", "unfinished", "targets", "events", "states", "ledger",
          "lines")  # fmt: skip
# What is counted for the user: the tables of this version and of earlier ones.
_COUNTED = {"runs": ("builds", "runs"), "events": ("targets", "events")}
# An earlier version's store lacks these, and has other things on the pages where a new store has them.
_LATER = frozenset({"clock", "given_up", "pieces", "resting", "unfinished"})
# A page may still list rows that were deleted. A message that an opt-out deleted must not come back.
_NOT_MENDED = frozenset({"outbox"})
_TYPES = {"TEXT": str, "INTEGER": int, "BLOB": bytes}

_Described = tuple[list[str], list[type], list[str]]


def save(damaged: Path, new: sqlite3.Connection, template: Path, *, scratch: Path, timeout_s: float) -> str:
    """Copy what can be read of a damaged store into a new one; what that was, for the user.

    `new` is an empty store with all tables, `template` its file. `scratch` is a directory for copies, which is made and
    removed: the damaged file stays as it is. Raises OSError if nothing can be copied.
    """
    give_up = time.monotonic() + timeout_s
    new.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(mode=0o700)
    try:
        copy = scratch / damaged.name
        for suffix in ("", "-wal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(damaged.with_name(damaged.name + suffix), copy.with_name(copy.name + suffix))
        return _save(copy, new, template.read_bytes(), give_up)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _save(copy: Path, new: sqlite3.Connection, template: bytes, give_up: float) -> str:
    tables = {name: _described(new, name) for name in _ORDER}
    _mend_header(copy, template)
    _take_in_wal(copy)
    roots = _known_roots(copy)
    tables = {name: table for name, table in tables.items() if name in roots or name not in _LATER}
    # SQLite numbers the first pages in the order in which tables are made, so all stores have the same. A few that
    # differ are damaged; if many do, somebody has rewritten the file (VACUUM).
    expected = dict(new.execute("SELECT name, rootpage FROM sqlite_master"))
    wrong = {name for name, root in roots.items() if root != expected.get(name, root)}
    if len(wrong) <= _FEW_ROOTS:
        roots = {name: root for name, root in roots.items() if name not in wrong}
    if len(roots) < len(expected) or _texts(copy) != _texts_of(new):
        try:
            _replace_schema(copy, template, roots)
        except ERRORS:
            return "nothing in it could be read"
    counts: dict[str, tuple[int, int | None]] = {}
    lost = set()
    with contextlib.closing(_connect(copy)) as old:
        for name, (columns, kinds, key) in tables.items():
            table = Table(old, name, columns, kinds, key, give_up)
            table.read()
            rows = [row for row in table.rows if table.is_sound(row)]
            if table.lost or len(rows) < len(table.rows):
                lost.add(name)
            new.execute("BEGIN IMMEDIATE")
            inserted = new.executemany(_insertion(name, columns), rows)
            counts[name] = inserted.rowcount, _count(old, name)
            new.execute("COMMIT")
    if lost:
        pages = Pages(copy, _page_size(template))
        for name in filter(lost.__contains__, tables):
            saved, total = counts[name]
            counts[name] = saved + _save_pages(copy, pages, new, name, tables[name], give_up), total
    if "records" in lost:
        # How far a record is combined may be lost. Without its parts a run only takes events that it lacks.
        new.execute("UPDATE runs SET state = NULL")
        new.execute("DELETE FROM states")
    return _summary(counts, lost)


def _save_pages(
    copy: Path, pages: Pages, new: sqlite3.Connection, name: str, described: _Described, give_up: float
) -> int:
    """Copy the rows of a table's pages that SQLite does not reach; how many there are."""
    columns, kinds, key = described

    def read() -> tuple[list[Row], bool]:
        try:
            with contextlib.closing(_connect(copy)) as old:
                table = Table(old, name, columns, kinds, key, give_up)
                rows, failed = table.scan(None, None, "ASC")
                return list(filter(table.is_sound, rows)), failed
        except ERRORS:
            return [], True

    root = _known_roots(copy).get(name)
    if root is None:
        return 0
    before, is_index = new.total_changes, "WITHOUT ROWID" in _texts_of(new)[name]
    new.execute("BEGIN IMMEDIATE")
    rows = pages.rows(root, kinds, read, is_index=is_index, mend=name not in _NOT_MENDED, give_up=give_up)
    new.executemany(_insertion(name, columns), rows)
    new.execute("COMMIT")
    return new.total_changes - before


def _insertion(name: str, columns: Sequence[str]) -> str:
    return f"INSERT OR IGNORE INTO {name} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608


def _summary(counts: dict[str, tuple[int, int | None]], lost: set[str]) -> str:
    if not any(saved for saved, _ in counts.values()):
        return "nothing in it could be read"
    saved = {name: sum(counts[table][0] for table in tables) for name, tables in _COUNTED.items()}
    if not lost:
        return f"all that it held could be read, {saved['runs']} runs"
    texts = []
    for name, tables in _COUNTED.items():
        totals = [counts[table][1] for table in tables]
        total = sum(filter(None, totals))
        texts.append(
            f"{saved[name]} {name}" if None in totals or total < saved[name] else f"{saved[name]} of {total} {name}"
        )
    again = ", and some events may be sent again" if "delivered" in lost else ""
    return f"{' and '.join(texts)} could be read{again}"


def _described(connection: sqlite3.Connection, table: str) -> _Described:
    """A table's columns, their types, and the columns of its key."""
    rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
    key = sorted((position, name) for _, name, _, _, _, position in rows if position)
    return [row[1] for row in rows], [_TYPES[row[2]] for row in rows], [name for _, name in key]


def _connect(copy: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(copy, isolation_level=None)
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    connection.execute("PRAGMA writable_schema = ON")  # errors in the schema are passed over
    return connection


def _count(connection: sqlite3.Connection, table: str) -> int | None:
    try:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
    except ERRORS:
        return None


def _texts(copy: Path) -> dict[str, str]:
    """The schema's texts as far as they can be read. One wrong letter may make SQLite read another kind of page."""
    try:
        with contextlib.closing(_connect(copy)) as connection:
            return _texts_of(connection)
    except ERRORS:
        return {}


def _texts_of(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' AND sql IS NOT NULL"))


def _known_roots(copy: Path) -> dict[str, int]:
    """The first page of each table and index whose name can be read."""
    roots: dict[str, int] = {}
    with contextlib.suppress(*ERRORS), contextlib.closing(_connect(copy)) as connection:
        for name, root in connection.execute("SELECT name, rootpage FROM sqlite_master"):
            if isinstance(root, int) and root > 1:
                roots[name] = root
    return roots


def _page_size(template: bytes) -> int:
    return int(struct.unpack_from(">H", template, 16)[0])


def _mend_header(copy: Path, template: bytes) -> None:
    """Give a file the header of a new store, but for the counts of its pages."""
    size = copy.stat().st_size
    header = bytearray(template[:_HEADER])
    struct.pack_into(">I", header, 28, -(-size // _page_size(template)))
    struct.pack_into(">II", header, 32, 0, 0)  # no free pages: nothing is written to them
    header[92:96] = header[24:28]
    with copy.open("r+b") as file:
        file.write(header)


def _take_in_wal(copy: Path) -> None:
    """Write the log of the last transactions into the file; a log that cannot be read is left out."""
    try:
        with contextlib.closing(_connect(copy)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except ERRORS:
        for suffix in ("-wal", "-shm"):
            copy.with_name(copy.name + suffix).unlink(missing_ok=True)


def _replace_schema(copy: Path, template: bytes, roots: dict[str, int]) -> None:
    """Append the pages of the new store's schema to a file, and have its first page lead there.

    A table whose first page is known in this file keeps it.
    """
    size = _page_size(template)
    content = bytearray(copy.read_bytes())
    content += bytes(-len(content) % size)
    content[:size] = template[:size]

    def move_children(start: int, header: int) -> None:
        """Append the pages that an interior page of a table leads to (SQLite's file format, section 1.6)."""
        kind, count = struct.unpack_from(">BxxH", content, start + header)
        if kind != 5:
            return
        pointers = struct.unpack_from(f">{count}H", content, start + header + 12)
        for place in (*(start + pointer for pointer in pointers), start + header + 8):
            (number,) = struct.unpack_from(">I", content, place)
            child = len(content)
            content.extend(template[(number - 1) * size : number * size])
            struct.pack_into(">I", content, place, child // size + 1)
            move_children(child, 0)

    move_children(0, _HEADER)
    copy.write_bytes(content)
    _mend_header(copy, template)
    with contextlib.closing(_connect(copy)) as connection:
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        for name, root in roots.items():
            if name in names:
                connection.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = ?", (root, name))
