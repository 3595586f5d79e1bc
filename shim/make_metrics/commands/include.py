"""`make-metrics include`: the path of the fragment, for those who include or copy it themselves."""

from __future__ import annotations

import sys

from make_metrics.setup import fragment


def run() -> int:
    """Print the path; 0. Raises UserError if the installation has no fragment."""
    sys.stdout.write(f"{fragment.source()}\n")
    return 0
