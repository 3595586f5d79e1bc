"""Tables, as a terminal and as a program gets them."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table
from rich.text import Text

from make_metrics.printable import printable
from make_metrics.report.table import Column, show
from make_metrics.report.wrapped import columns as width_of
from tests.support.project import SOURCE

COLUMNS = [Column("target", folds=True), Column("total", number=True), Column("directory", folds=True)]
ROWS = [["all", "2.01s", "."], ["\x1b[31mred\n", "10ms", "a/directory/with/a/long/name/and/another/part"]]
SCRIPT = (
    "import sys; from make_metrics.report.table import *; from tests.report.test_table import *; show(COLUMNS, ROWS)"
)


def test_a_table_is_plain_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    show(COLUMNS, ROWS, note="a note")
    assert capsys.readouterr().out == (
        "target        total directory\n"
        "all           2.01s .\n"
        "\\x1b[31mred\\n  10ms a/directory/with/a/long/name/and/another/part\n"
        "\n"
        "a note\n"
    )


def test_nothing_is_cut_off_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    show(COLUMNS, [["x" * 400, "1ms", "."]])
    assert "x" * 400 in capsys.readouterr().out


@pytest.mark.parametrize(("columns", "lines"), [(200, "│"), (50, "─")])
def test_a_table_has_lines_and_bold_headings_on_a_terminal(columns: int, lines: str) -> None:
    environ = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", "PYTHONPATH": f"{SOURCE}:{SOURCE.parent}"}
    for name in ("NO_COLOR", "COLUMNS", "LINES"):  # the last two go before what the terminal says
        environ.pop(name, None)
    # pexpect sets the size while the program starts: wait for it.
    wait = f'while [ "$(stty size)" != "50 {columns}" ]; do sleep 0.01; done; exec "$0" "$@"'
    words = ["-c", wait, sys.executable, "-c", SCRIPT]
    with pexpect.spawn("sh", words, env=environ, timeout=60, encoding="utf-8", dimensions=(50, columns)) as terminal:
        shown = terminal.read()
    assert lines in shown
    assert ("│" in shown) == (columns == 200)
    assert "\x1b[1m" in shown
    assert "\x1b[31m" not in shown
    for word in ("target", "total", "2.01s", "10ms", "another/part", "\\x1b[31mr"):
        assert word in shown


@pytest.mark.parametrize(("width", "when", "last"), [(60, False, False), (80, False, True), (200, True, True)])
def test_names_are_shortened_and_columns_left_out_before_a_number_is_broken(
    width: int, when: bool, last: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("COLUMNS", str(width)), ("FORCE_COLOR", "1"), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("NO_COLOR", raising=False)
    columns = [
        Column("target", shrinks=True),
        *(Column(f"number{place}", number=True) for place in range(3)),
        Column("last", number=True, dropped=1),
        Column("when", dropped=2),
        Column("failed", number=True, alarm=True),
    ]
    name = "build/" + "x" * 90 + "/end.o"
    show(columns, [[name, "1m40s", "123.45s", "99ms", "12.34567s", "2026-11-26 10:56", "3"]])
    shown = capsys.readouterr().out
    assert re.search(r"\x1b\[1;31m *3", shown)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert max(map(len, lines)) <= width
    assert all(number in shown for number in ("1m40s", "123.45s", "99ms"))
    assert ("2026-11-26 10:56" in shown, "12.34567s" in shown) == (when, last)
    assert (name in shown) == (width == 200)
    assert width == 200 or any(re.search(r"^ ?build\S*\.\.\.\S*end\.o", text) for text in lines)


@given(
    st.lists(
        st.tuples(*3 * [st.text("ab-x_é漢한ﾊ\x1b\n\u202e", max_size=30)]),
        max_size=6,
    )
)
def test_outside_of_a_terminal_it_looks_as_rich_draws_it(rows: list[tuple[str, str, str]]) -> None:
    out = io.StringIO()
    table = Table(box=None, header_style="bold", show_edge=False, pad_edge=False, collapse_padding=True)
    for column in COLUMNS:
        table.add_column(column.heading, justify="right" if column.number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    Console(file=out, width=1_000_000, color_system=None, force_terminal=False, highlight=False).print(table)
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        show(COLUMNS, rows)
    assert shown.getvalue() == "".join(f"{line.rstrip()}\n" for line in out.getvalue().split("\n")[:-1])


def test_a_table_that_fits_no_screen_is_written_plainly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        show(COLUMNS, [["all", "1ms", "."]] * 100_000)
    assert shown.getvalue().splitlines()[1:] == ["all      1ms ."] * 100_000


@pytest.mark.parametrize("width", [50, 60])
def test_two_names_give_way_until_a_table_fits(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in (("COLUMNS", str(width)), ("FORCE_COLOR", "1"), ("NO_COLOR", "1"), ("TERM", "xterm")):
        monkeypatch.setenv(name, value)
    columns = [
        Column("target", shrinks=True),
        *(Column(heading, number=True) for heading in ("runs", "failed", "own", "median")),
        Column("directory", shrinks=True),
    ]
    show(columns, [["x" * 90, "12", "0", "12.93s", "302ms", "a/long/directory name/lib"]])
    shown = capsys.readouterr().out
    assert max(map(width_of, shown.splitlines())) <= width
    assert re.search(r"\.\.\.x+ +12 +0 +12\.93s +302ms +a.*\.\.\..*lib", shown)
