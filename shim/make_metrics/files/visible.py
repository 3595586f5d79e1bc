"""Whether every character of a text can be seen. Pure."""

from __future__ import annotations

import unicodedata

# Characters that str.isprintable lets through, but that show nothing: those of Unicode's Default_Ignorable_Code_Point
# (DerivedCoreProperties.txt), and blank ones that it does not name. Format characters such as U+200B do not print.
_INVISIBLE = frozenset(
    {
        0x034F,  # combining grapheme joiner
        0x115F, 0x1160, 0x3164, 0xFFA0,  # fillers for Hangul
        0x17B4, 0x17B5,  # Khmer vowels that are never written
        0x180B, 0x180C, 0x180D, 0x180F,  # Mongolian variation selectors
        0x1107F, 0x2D7F,  # joiners: Brahmi, Tifinagh
        0x16FE4,  # Khitan filler
        0x2800,  # Braille without a dot
        0xFFFC,  # object replacement: the place of a picture that is not there
        0x13441, 0x13442,  # blanks among hieroglyphs
        0x1D159,  # musical null notehead
        0x1BC9D,  # Duployan thick letter selector
        *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0),  # variation selectors
    }
)  # fmt: skip
_EMOJI_SELECTORS = "\ufe0e\ufe0f"  # shown as text, as a picture
_KEYCAP = "\u20e3"


def is_visible(text: str) -> bool:
    """Whether a text shows something, and hides nothing: two texts that look alike must not differ unseen.

    A selector that makes a sign an emoji, or a digit a key, is no hidden character.
    """
    shows = False
    for at, char in enumerate(text):
        if ord(char) in _INVISIBLE and not _selects(text, at):
            return False
        shows = shows or unicodedata.category(char)[0] in "LNPS"
    return shows and text.isprintable()


def _selects(text: str, at: int) -> bool:
    """Whether a variation selector stands behind a character that has the variant."""
    before, selector = text[max(at - 1, 0) : at], text[at]
    if selector in _EMOJI_SELECTORS and before:
        if before in "0123456789#*":
            return text[at + 1 : at + 2] == _KEYCAP
        return unicodedata.category(before) in ("So", "Sm", "Sk") and ord(before) not in _INVISIBLE
    return "\U000e0100" <= selector <= "\U000e01ef" and unicodedata.name(before or " ", "").startswith("CJK UNIFIED")
