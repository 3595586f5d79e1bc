"""Whether this process may start others that outlive what they are asked."""

from __future__ import annotations

_none: list[bool] = []


def start_none() -> None:
    """Start none from here on: this process may end at any time, and what it leaves would stay as a zombie."""
    _none.append(True)


def may_start() -> bool:
    """Whether it may."""
    return not _none
