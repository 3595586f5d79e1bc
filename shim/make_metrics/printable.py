"""Text that cannot control a terminal. Pure."""

from __future__ import annotations


def printable(text: str) -> str:
    """A text in which Python's escape sequences stand for characters that do not print."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
