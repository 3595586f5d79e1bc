"""Texts that a person agrees to show all that they are."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from make_metrics.files.toml_file import text
from make_metrics.files.visible import is_visible

# Fillers, joiners, selectors and blanks.
INVISIBLE = [
    "\u3164", "\u115f", "\u1160", "\uffa0", "\u2800", "\u034f", "\ufe0f", "\ufe00", "\U000e0101", "\u180b", "\u17b4",
    "\U0001d159", "\u200b", "\u200e", "\u202e", "\u2060", "\ufeff", "\u00ad", "\u061c", "\u2064", "\U000e0041",
    "\u00a0", "\u2003", "\u3000", "\ufffc", "\t", "\n",
]  # fmt: skip


@pytest.mark.parametrize("char", INVISIBLE, ids=lambda char: f"U+{ord(char):04X}")
def test_an_invisible_character_is_refused_alone_and_within_a_name(char: str) -> None:
    for value in (char, char * 3, f"Example{char} Inc", f"{char}Example", f"Example{char}"):
        assert not is_visible(value)
        with pytest.raises(ValueError, match="must "):
            text(value)


@pytest.mark.parametrize("value", ["\u0301", " \u0301 ", "\u20e3", " "])
def test_a_text_of_marks_and_blanks_shows_nothing(value: str) -> None:
    assert not is_visible(value)


@pytest.mark.parametrize(
    "value",
    ["Example Inc.", "Müller & Söhne", "e\u0301", "日本", "葛\U000e0100城", "한국", "❤\ufe0f builds", "☎\ufe0e",
     "1\ufe0f\u20e3",     "नमस्ते", "ภาษาไทย", "عربي", "-", "⠁⠃"],
)  # fmt: skip
def test_names_of_people_and_companies_are_kept(value: str) -> None:
    assert is_visible(value)
    assert text(value) == value


VISIBLE_FILLERS = ("GAP FILLER", "LINE FILLER", "SPACE FILLER")  # signs of punctuation


def test_whatever_is_called_a_filler_or_a_selector_is_refused() -> None:
    for number in range(sys.maxunicode + 1):
        name = unicodedata.name(chr(number), "")
        filler = "FILLER" in name.split() and not name.endswith(VISIBLE_FILLERS)
        if filler or "VARIATION SELECTOR" in name or "ZERO WIDTH" in name:
            assert not is_visible(f"a{chr(number)}b"), name
