"""The trace that make was started in, as the variable TRACEPARENT names it (W3C Trace Context, section 3.2)."""

from __future__ import annotations

_HEX = frozenset("0123456789abcdef")


def parts(text: str) -> tuple[str, str] | None:
    """The ids of the trace and of its span that is to be the parent, in hexadecimal; None if that is not what it says.

    A version that is not known is read as far as version 0 goes, as the recommendation asks.
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


def valid(text: str) -> str:
    """The text as far as it is understood, in the form of version 0; empty if it says no trace."""
    found = parts(text)
    return f"00-{found[0]}-{found[1]}-{text.split('-')[3]}" if found else ""
