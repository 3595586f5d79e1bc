"""Lines that fit a terminal, and are whole elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_metrics.report.screen import Part, fitted, name, rows, shortened, show
from make_metrics.report.wrapped import columns


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Mn", "Me"))),
    st.integers(0, 40),
)
def test_a_shortened_text_fits_and_keeps_both_ends(text: str, width: int) -> None:
    short = shortened(text, width)
    assert columns(short) <= width
    if short != text and width >= 9:
        front, _, back = short.partition("...")
        assert text.startswith(front)
        assert text.endswith(back)


def test_a_long_name_loses_its_middle() -> None:
    assert shortened("directory/with/a/name/file.o", 15) == "direct...file.o"


@pytest.mark.parametrize("width", [60, 80, 200])
def test_numbers_stay_whole_and_names_give_way(width: int) -> None:
    parts = [Part("  1m02s  "), name("x" * 500), Part("  status 2"), name("y" * 20)]
    line = fitted(parts, width)
    assert sum(columns(part.text) for part in line) == width
    assert (line[0].text, line[2].text, line[3].text) == ("  1m02s  ", "  status 2", "y" * 20)


def test_a_name_keeps_twelve_columns_on_the_narrowest_terminal() -> None:
    assert [part.text for part in fitted([Part("1m02s "), name("x" * 50)], 5)] == ["1m02s ", "xxxx...xxxxx"]


def test_in_a_pipe_names_are_whole_and_plain(capsys: pytest.CaptureFixture[str]) -> None:
    show([[Part("1ms ", "red"), name("x" * 500 + "\x1b[31m\u202e", "bold")], []])
    assert capsys.readouterr().out == "1ms " + "x" * 500 + "\\x1b[31m\\u202e\n\n"


def test_what_cannot_be_shortened_is_broken_between_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    show([[Part("  1m02s before the first recipe line: make started")]])
    assert capsys.readouterr().out.splitlines() == [
        "  1m02s before the first",
        "  recipe line: make started",
    ]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([Part("No target became slower or faster.")], ["No target became slower", "or faster."]),
        ([Part("    1ms before the first line")], ["    1ms before the first", "    line"]),
        ([Part("    1ms  "), name("prog", "red"), Part("  status 2 of make")],
         ["    1ms  prog  status 2", "         of make"]),
        ([Part("run 1f", "bold"), Part("  make all took 10s: failed")], ["run 1f  make all took", "  10s: failed"]),
        ([Part("  a long first part  "), Part("make")], ["  a long first part", "    make"]),
        ([Part("    1ms  50%  "), name("target.o"), Part("  (half of 1s)")],
         ["    1ms  50%  target.o", "      (half of 1s)"]),
    ],
)  # fmt: skip
def test_further_rows_stand_below_the_text(parts: list[Part], expected: list[str]) -> None:
    assert ["".join(part.text for part in row).rstrip() for row in rows(parts, 24)] == expected


words = st.text("ab\u8a9e()", min_size=1, max_size=30)


@given(
    st.lists(
        st.builds(Part, st.lists(words, min_size=1, max_size=6).map(" ".join), st.sampled_from(["", "red"]),
                  st.booleans()),
        max_size=6,
    ),
    st.integers(1, 120),
)  # fmt: skip
def test_no_character_but_blanks_is_lost_where_a_line_is_broken(parts: list[Part], width: int) -> None:
    fitting = fitted(parts, width)
    broken = list(rows(parts, width))

    def seen(parts: list[Part]) -> list[tuple[str, str]]:
        return [(char, part.style) for part in parts for char in part.text if char != " "]

    assert [each for row in broken for each in seen(row)] == seen(fitting)
