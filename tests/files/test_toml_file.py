"""TOML that people write: every problem is one printable line, and costs only its own value."""

from __future__ import annotations

import pytest

from make_metrics.files.toml_file import LONGEST, check, flag, parse_toml, text, unknown_keys, where

RULES = {"name": text, "sure": flag, "count": where(lambda value: value in (1, 2), "must be 1 or 2")}


def test_wrong_values_are_left_out_and_reported_in_the_order_of_the_rules() -> None:
    table = {"count": 3, "sure": "yes", "name": " plain "}
    assert check(table, RULES) == ({"name": "plain"}, ["sure: must be true or false", "count: must be 1 or 2"])


def test_a_rule_may_build_on_another() -> None:
    short = where(lambda value: len(value) < 3, "must be short", of=text)
    assert short(" ab ") == "ab"
    with pytest.raises(ValueError, match="must be short"):
        short("abc")
    with pytest.raises(ValueError, match="must be a text"):
        short(3)


@pytest.mark.parametrize("value", ["a\nb", "\x1b[2J", "x" * (LONGEST + 1)])
def test_a_text_is_one_line(value: str) -> None:
    with pytest.raises(ValueError, match=f"must be one line of at most {LONGEST} characters"):
        text(value)


@pytest.mark.parametrize("key", ["a\nb", "\x1b[2J", "\u202e", "x" * 1_000])
def test_an_unknown_key_is_a_printable_line(key: str) -> None:
    (line,) = unknown_keys({key: 1, "name": "n"}, RULES)
    assert line.endswith(": unknown key")
    assert line.isprintable()
    assert len(line) < 400


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ('name = "x\n', 'line 1: this line ends too early\n    name = "x\n             ^'),
        ("a = 1\r\nb x\r\n", "line 2: Expected '=' after a key in a key/value pair\n    b x\n      ^"),
        ("a = 1\n\tb = \x1b", "line 2: Invalid value\n     b =  \n         ^"),
        ("[[sinks\n", "line 1: Expected ']]' at the end of an array declaration\n    [[sinks\n           ^"),
    ],
)
def test_an_error_of_syntax_shows_its_line_and_a_caret(content: str, shown: str) -> None:
    with pytest.raises(ValueError, match="is not TOML: ") as raised:
        parse_toml(content.encode())
    assert str(raised.value) == f"is not TOML: {shown}"
    assert str(raised.value).replace("\n", "").isprintable()


def test_a_long_line_is_shown_around_its_error() -> None:
    with pytest.raises(ValueError, match="is not TOML: ") as raised:
        parse_toml(b"a = " + b"'x', " * 1_000)
    _, line, caret = str(raised.value).split("\n")
    assert max(len(line), len(caret)) < 80


def test_a_misspelt_key_gets_a_suggestion() -> None:
    assert unknown_keys({"naem": 1}, RULES) == ["naem: unknown key (did you mean name?)"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff\xfe", "is not UTF-8"),
        (b"a = " + b"[" * 20_000, "is not TOML: too deep, or a number too long"),
        (b"a = " + b"1" * 5_000, "is not TOML: too deep, or a number too long"),
    ],
)
def test_content_that_is_no_toml_is_one_line(content: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as raised:
        parse_toml(content)
    assert str(raised.value).isprintable()
