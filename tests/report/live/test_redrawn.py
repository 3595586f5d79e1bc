"""Lines written again in place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from make_metrics.report.live.redrawn import change, removal
from tests.support.shown_screen import ShownScreen

LINES = st.lists(st.text("ab ", max_size=12).map(str.rstrip), max_size=6)


@given(st.lists(LINES, min_size=1, max_size=6))
def test_the_screen_shows_the_last_lines_whatever_stood_before(frames: list[list[str]]) -> None:
    screen = ShownScreen(20)
    screen.feed("before\r\n")
    old: list[str] = []
    for new in frames:
        screen.feed(change(old, new))
        assert [row.rstrip() for row in screen.rows] == ["before", *new, ""]
        assert (screen.row, screen.column) == (len(new) + 1, 0)
        old = new


@given(LINES, st.integers(4, 20))
def test_nothing_stays_of_lines_that_a_narrower_terminal_has_broken(lines: list[str], columns: int) -> None:
    screen = ShownScreen(20)
    screen.feed(change([], lines))
    screen.resize(columns)
    screen.feed(removal([len(line) for line in lines], columns))
    assert screen.rows == [""]


def test_what_stays_the_same_is_not_written() -> None:
    assert change(["a", "b", "c"], ["a", "b", "c"]) == ""
    text = change(["a", "b", "c"], ["a", "x", "c"])
    assert "x" in text
    assert "a" not in text
    assert "c" not in text
