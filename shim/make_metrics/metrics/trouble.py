"""Troubles of metrics: why a value is missing."""

from __future__ import annotations

from make_metrics.dataclass import dataclass

FAILED, SLOW, OUTSIDE = "failed", "took too long", "gave what its declaration does not allow"
_LONGEST = 200


class NoProcessError(OSError):
    """A metric of another package needs a process, and none may be started here (`processes.children`)."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a metric has no value: the kind of trouble (one of the constants above), and a message of one line."""

    metric: str
    kind: str
    said: str = ""


def one_line(text: str) -> str:
    """A foreign text as one line of at most 200 printable characters, which cannot control a terminal."""
    printable = "".join(char if char.isprintable() else " " for char in text[:_LONGEST])
    return " ".join(printable.split())
