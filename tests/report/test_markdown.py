"""Names in Markdown are only text."""

from __future__ import annotations

import pytest

from make_metrics.report.markdown import code, table


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("all", "`all`"),
        ("a|b", "`a\\|b`"),
        ("a`b``c", "```a`b``c```"),
        ("`", "`` ` ``"),
        ("", "` `"),
        ("a\nb", "`a\\nb`"),
        ("<img onerror=x>", "`<img onerror=x>`"),
    ],
)
def test_a_name_is_a_code_span(text: str, span: str) -> None:
    assert code(text) == span


def test_a_table_aligns_numbers_to_the_right() -> None:
    assert table(("target", ">time"), [("`a`", "1ms")]) == ["| target | time |", "| --- | ---: |", "| `a` | 1ms |"]
