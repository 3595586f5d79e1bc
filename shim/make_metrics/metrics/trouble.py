"""What can go wrong with a metric's value."""

from __future__ import annotations

from dataclasses import dataclass

FAILED, SLOW, OUTSIDE = "failed", "took too long", "gave what its declaration does not allow"
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Trouble:
    """A value that is missing: of which metric, the kind of trouble (see above), and in what words, one line."""

    metric: str
    kind: str
    said: str = ""


def one_line(text: str) -> str:
    """Somebody's words as one line that cannot control a terminal, at most 200 characters."""
    plain = "".join(char if char.isprintable() else " " for char in text[:_LONGEST])
    return " ".join(plain.split())
