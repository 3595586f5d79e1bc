"""Problems that a command tells of while it goes on."""

from __future__ import annotations

import sys
from collections.abc import Iterable


def warn(problems: Iterable[str]) -> None:
    """Write problems to standard error, a line each."""
    for problem in problems:
        sys.stderr.write(f"make-metrics: {problem}\n")
