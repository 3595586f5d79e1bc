"""The pages of a table of which one that leads to others is damaged.

SQLite finds a table's rows from its first page down: if that page's head is damaged, SQLite reads none of them. But our
stores say of each page which other page leads to it (auto_vacuum; SQLite's file format, section 1.8). So each page is
put in the place of the first one, where SQLite reads it and all below it. Of a page whose head is damaged the rows that
it lists are laid out anew: only whole ones with the types of the table's columns.
"""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

_TABLE_INTERIOR, _TABLE_LEAF, _INDEX_INTERIOR, _INDEX_LEAF = 5, 13, 2, 10
_LEADS_TO_ROWS = 5  # the kind of an entry of the map
_ENTRY = struct.Struct(">BI")
_INTEGER_SIZES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
_FLOAT = 7
_DEEPEST = 12
_HEAD = {_TABLE_INTERIOR: 12, _INDEX_INTERIOR: 12, _TABLE_LEAF: 8, _INDEX_LEAF: 8}

_Row = tuple[Any, ...]
# Reads a table's rows from its first page down; and whether it met damage.
Read = Callable[[], tuple[list[_Row], bool]]


class Pages:
    """The pages of a copy of a store, which is written to: only `rows` may use the file meanwhile."""

    def __init__(self, copy: Path, size: int) -> None:
        """Read the map of the file's pages, each of `size` bytes. Raises OSError."""
        self._copy, self._size = copy, size
        self._content = copy.read_bytes()
        self._below: dict[int, list[int]] = {}
        for page, (kind, parent) in self._map():
            if kind == _LEADS_TO_ROWS:
                self._below.setdefault(parent, []).append(page)

    def rows(
        self,
        root: int,
        kinds: Sequence[type],
        read: Read,
        *,
        is_index: bool,
        mend: bool = True,
        give_up: float = math.inf,
    ) -> Iterator[_Row]:
        """What can be read of a table page by page, perhaps more than once. Raises OSError.

        `root` is its first page, `kinds` are the types of its columns. `is_index` is whether it is stored as an index
        (WITHOUT ROWID). With `mend` the rows that damaged pages list count as well: a few may have been deleted. From
        `give_up` on (monotonic clock, seconds) no further page is read.
        """
        try:
            for page in self._tree(root):
                if time.monotonic() > give_up:
                    return
                rows, failed = self._read_at(root, self._page(page), read) if page != root else ([], True)
                yield from rows
                if failed:
                    self._failed.add(page)
                if failed and mend:
                    cells = _cells(self._page(page), kinds, is_index=is_index)
                    yield from self._read_at(root, _leaf(cells, self._size, is_index=is_index), read)[0]
        finally:
            self._put(root, self._page(root))

    def _tree(self, root: int) -> Iterator[int]:
        """The first page, and those below each page that has failed by the time when the next one is asked for."""
        self._failed: set[int] = set()
        level = [root]
        for _ in range(_DEEPEST):
            below = []
            for page in level:
                yield page
                below += self._below.get(page, []) if page in self._failed else []
            level = below

    def _read_at(self, root: int, page: bytes, read: Read) -> tuple[list[_Row], bool]:
        self._put(root, page)
        return read()

    def _page(self, number: int) -> bytes:
        return self._content[(number - 1) * self._size : number * self._size]

    def _put(self, number: int, page: bytes) -> None:
        with self._copy.open("r+b") as file:
            file.seek((number - 1) * self._size)
            file.write(page)

    def _map(self) -> Iterator[tuple[int, tuple[int, int]]]:
        """Each page's entry in the map. The map's pages stand before those that they describe."""
        room = self._size // _ENTRY.size
        for number in range(2, len(self._content) // self._size + 1, room + 1):
            page = self._page(number)
            for at in range(room):
                yield number + 1 + at, _ENTRY.unpack_from(page, at * _ENTRY.size)


def _leaf(cells: Iterable[bytes], size: int, *, is_index: bool) -> bytes:
    """A page that holds these cells, those for which there is room."""
    page, pointers, start = bytearray(size), list[int](), size
    for cell in cells:
        begin = start - max(len(cell), 4)
        if begin < _HEAD[_TABLE_LEAF] + 2 * (len(pointers) + 1):
            break
        page[begin : begin + len(cell)] = cell
        pointers.append(start := begin)
    struct.pack_into(">BHHHB", page, 0, _INDEX_LEAF if is_index else _TABLE_LEAF, 0, len(pointers), start % 65536, 0)
    struct.pack_into(f">{len(pointers)}H", page, 8, *pointers)
    return bytes(page)


def _cells(page: bytes, kinds: Sequence[type], *, is_index: bool) -> list[bytes]:
    """The rows that a page lists, as far as they are whole, and those that follow right behind one of them.

    The head may be damaged with the first pointers. A page that leads to others has rows only in an index, each behind
    the number of a page.
    """
    starts_of_pointers = (_HEAD[_INDEX_LEAF], _HEAD[_INDEX_INTERIOR]) if is_index else (_HEAD[_TABLE_LEAF],)
    best: dict[int, tuple[int, bytes]] = {}
    for first in starts_of_pointers:
        skip = 4 if first == _HEAD[_INDEX_INTERIOR] else 0
        found: dict[int, tuple[int, bytes]] = {}
        for (at,) in struct.iter_unpack(">H", page[first:]):
            if (cell := _cell(page, at, skip, kinds, is_index=is_index)) is not None:
                found[at] = cell
            elif found and not first < at < len(page):
                break  # behind the last pointer
        waiting = [end for end, _ in found.values()]
        while waiting:
            at = waiting.pop()
            if at not in found and (cell := _cell(page, at, skip, kinds, is_index=is_index)) is not None:
                found[at] = cell
                waiting.append(cell[0])
        best = max(best, found, key=len)
    return [cell for _, cell in best.values()]


def _cell(page: bytes, at: int, skip: int, kinds: Sequence[type], *, is_index: bool) -> tuple[int, bytes] | None:
    """Where a cell at a place ends, and the cell without what leads to another page; None if none is there."""
    try:
        start = at + skip
        length, place = _varint(page, start)
        if not is_index:
            _, place = _varint(page, place)
        local = _local(length, len(page), is_index=is_index)
        end = place + local + (4 if local < length else 0)
        head, inner = _varint(page, place)
        left, types = place + head, list[int]()
        while inner < left and len(types) <= len(kinds):
            kind, inner = _varint(page, inner)
            types.append(kind)
        if inner != left or end > len(page) or head + sum(map(_value_size, types)) != length:
            return None
        # A column that a later version has added is missing in earlier rows.
        if not 1 < len(types) <= len(kinds) or not all(map(_fits, types, kinds)):
            return None
    except IndexError:
        return None
    return max(end, start + 4), page[start:end]


def _local(length: int, size: int, *, is_index: bool) -> int:
    """How many of a row's bytes are in its page; the others are elsewhere (SQLite's file format, section 1.6)."""
    most = (size - 12) * 64 // 255 - 23 if is_index else size - 35
    if length <= most:
        return length
    least = (size - 12) * 32 // 255 - 23
    local = least + (length - least) % (size - 4)
    return local if local <= most else least


def _varint(page: bytes, at: int) -> tuple[int, int]:
    """A number in SQLite's form, and where it ends. Raises IndexError beyond the page."""
    number = 0
    for byte in range(9):
        value = page[at + byte]
        if byte == 8:
            return number << 8 | value, at + 9
        number = number << 7 | value & 127
        if value < 128:
            return number, at + byte + 1
    raise AssertionError


def _value_size(kind: int) -> int:
    """How many bytes a value of a serial type takes. Raises IndexError for one that there is not."""
    return (kind - 12) // 2 if kind >= 12 else _INTEGER_SIZES[kind]


def _fits(kind: int, column: type) -> bool:
    if kind >= 12:
        return column is (str if kind % 2 else bytes)
    return kind == 0 or (column is int and kind != _FLOAT)
