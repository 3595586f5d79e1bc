"""Problems that a command tells of: each once, also if several of its steps meet it."""

from __future__ import annotations

import sys
from collections.abc import Iterable

_said: set[str] = set()


def warn(problems: Iterable[str]) -> None:
    """Write problems to standard error, a line each, but those that were written before."""
    for problem in problems:
        if problem not in _said:
            _said.add(problem)
            sys.stderr.write(f"make-metrics: {problem}\n")


def begin() -> None:
    """Forget what was written: another command begins."""
    _said.clear()
