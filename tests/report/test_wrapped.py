from __future__ import annotations

import pytest

from make_metrics.report.wrapped import columns, pages, summary, wrap

TEXT = """This project asks for a record of how its make targets are used. Nothing is sent without your yes.

  Project:      Example
  Why:          to make builds faster, and to find out which of the many targets nobody needs any more
  command: which targets are used most often
      the name of a target that the Makefile spells, or other (such as build)
"""


@pytest.mark.parametrize("width", [30, 40, 72, 80, 200])
def test_lines_break_at_words_only(width: int) -> None:
    lines = wrap(TEXT, width)
    assert max(map(columns, lines)) <= width
    assert " ".join(" ".join(lines).split()) == " ".join(TEXT.split())
    assert "" in lines


def test_a_word_that_is_too_long_stays_whole() -> None:
    assert "https://collector.example.org/v1/traces" in wrap("sent to https://collector.example.org/v1/traces", 20)


def test_an_indented_line_goes_on_below_its_text() -> None:
    lines = wrap(TEXT, 60)
    assert lines[lines.index("  Project:      Example") + 2].startswith(" " * 16 + "of the")


def test_a_wide_character_takes_two_columns() -> None:
    assert columns("a日本") == 5
    lines = wrap(" ".join(["日本語"] * 30), 40)
    assert max(map(columns, lines)) <= 40


def test_a_summary_has_its_labels_at_the_left() -> None:
    lines = summary([("", "A project asks."), ("Who", "us"), ("Why", "word " * 30)], 40)
    assert lines[:2] == ["A project asks.", "  Who:   us"]
    assert all(line.startswith("         word") for line in lines[3:])


def test_pages_leave_a_row_for_the_question() -> None:
    assert list(pages(["a", "b", "c"], 3)) == [["a", "b"], ["c"]]
    assert list(pages(["a", "b"], 0)) == [["a"], ["b"]]
