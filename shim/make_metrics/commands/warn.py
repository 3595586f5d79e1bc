"""Problems that a command tells of: each once, also if several of its steps meet it."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from make_metrics.commands.prose import CONTINUED, show_after

_said: set[str] = set()


def warn(problems: Iterable[str]) -> None:
    """Write problems to standard error, a line each, but those that were written before."""
    for problem in problems:
        if problem not in _said:
            _said.add(problem)
            first, _, rest = problem.partition("\n")
            show_after([("make-metrics: ", first)], hanging=CONTINUED, stream=sys.stderr)
            sys.stderr.write(f"{rest}\n" if rest else "")  # a line of a file with a caret below it


def begin() -> None:
    """Forget what was written: another command begins."""
    _said.clear()
