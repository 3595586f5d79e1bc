"""The trace that make was started in, from the variable TRACEPARENT (W3C Trace Context, section 3.2)."""

from __future__ import annotations

_HEX = frozenset("0123456789abcdef")


def parse(text: str) -> tuple[str, str] | None:
    """The trace's id and the parent span's id, in hexadecimal; None if the text is no valid traceparent.

    An unknown version is read like version 0, and what follows is ignored, as the recommendation asks.
    """
    version, *rest = text.split("-")
    if len(rest) < 3 or len(text) > 512 or (version == "00" and len(rest) != 3):
        return None
    trace, span, flags = rest[:3]
    for word, length in ((version, 2), (trace, 32), (span, 16), (flags, 2)):
        if len(word) != length or not _HEX.issuperset(word):
            return None
    if version == "ff" or not trace.strip("0") or not span.strip("0"):
        return None
    return trace, span


def as_version_0(text: str) -> str:
    """A traceparent in the form of version 0; empty if it is not valid."""
    ids = parse(text)
    return f"00-{ids[0]}-{ids[1]}-{text.split('-')[3]}" if ids else ""
