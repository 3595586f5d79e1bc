"""`make-metrics completion`: print what a shell needs to complete our commands, or the manual page.

The wheel also puts these files where shells and man look for them, below `share` of the environment.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_FOLDER = Path(__file__).resolve().parent / "shells"
_MANUAL = "1"


def run(given: argparse.Namespace) -> int:
    """Print the file for a shell; 0. `python -m ci.reference` makes these files from the parser."""
    kind = _MANUAL if given.shell == "man" else given.shell
    sys.stdout.write((_FOLDER / f"make-metrics.{kind}").read_text(encoding="utf-8"))
    return 0
