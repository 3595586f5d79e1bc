"""Rows for people and for programs: a table, JSON, CSV or Markdown, on standard output."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from make_metrics.report import markdown, screen
from make_metrics.report.screen import Part
from make_metrics.report.table import Column, show

T = TypeVar("T", contravariant=True)

TABLE, JSON, CSV, MARKDOWN = ("table", "json", "csv", "markdown")


def can_print(text: str) -> bool:
    """Whether standard output's encoding has all characters of a text."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def write_json(document: object) -> None:
    """Write a JSON document."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


class Page(Protocol[T]):
    """A module of `report.run`: what is no table, in each format."""

    @property
    def FIELDS(self) -> Sequence[str]:  # noqa: N802 - a constant of the module
        """The columns of its records."""

    def document(self, content: T, /) -> object:
        """The content as JSON."""

    def records(self, content: T, /) -> Sequence[Mapping[str, Any]]:
        """The lines of its CSV, by column."""

    def markdown_lines(self, content: T, /) -> Iterable[str]:
        """Its lines in Markdown."""

    def lines(self, content: T, /) -> Iterable[Sequence[Part]]:
        """Its lines for people."""


def write_page(format_: str, content: T, page: Page[T]) -> None:
    """Write what is no table: as JSON, CSV or Markdown, or as lines for people in any other format."""
    if format_ == JSON:
        write_json(page.document(content))
    elif format_ == CSV:
        write_csv(page.FIELDS, page.records(content))
    elif format_ == MARKDOWN:
        _write_lines(page.markdown_lines(content))
    else:
        screen.show(page.lines(content))


def write_csv(fields: Sequence[str], records: Iterable[Mapping[str, Any]]) -> None:
    """Write CSV (RFC 4180, but with line feeds): a heading, then a line for each record. Names are whole.

    A value that is not known is empty, true and false are 1 and 0, and a list is its JSON.
    """
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(fields)
    for record in records:
        writer.writerow([_plain(record[field]) for field in fields])


def _plain(value: object) -> object:
    if isinstance(value, bool):
        return int(value)
    return json.dumps(value) if isinstance(value, list | tuple) else value


def write_table(format_: str, columns: Sequence[Column], rows: Sequence[Sequence[str]], *, note: str = "") -> None:
    """Write rows for people, as a table of the terminal or of Markdown; a note stands below."""
    if format_ != MARKDOWN:
        show(columns, rows, note=note)
        return
    headings = [f">{column.heading}" if column.number else column.heading for column in columns]
    cells = [
        [markdown.code(cell) if column.shrinks and cell else cell for cell, column in zip(row, columns, strict=True)]
        for row in rows
    ]
    _write_lines([*markdown.table(headings, cells), *(["", note] if note else [])])


def write_lines(format_: str, lines: Iterable[Sequence[Part]]) -> None:
    """Write lines for people around a table: those of Markdown are a list, in which names are only text.

    A line without parts is empty.
    """
    if format_ != MARKDOWN:
        screen.show(lines)
        return
    texts = ["".join(markdown.code(part.text) if part.shrinks else part.text for part in parts) for parts in lines]
    _write_lines(f"- {' '.join(text.split())}" if text else "" for text in texts)


def _write_lines(lines: Iterable[str]) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
