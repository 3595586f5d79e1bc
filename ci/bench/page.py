"""Where a benchmark's page goes."""

from __future__ import annotations

import sys
from pathlib import Path


def write(text: str, out: Path | None) -> None:
    """Write a page to a file, or to standard output without one."""
    if out:
        out.write_text(text)
    else:
        sys.stdout.write(text)
