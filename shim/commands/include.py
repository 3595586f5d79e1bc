"""`make-metrics include`: the path of the fragment, for those who include or copy it themselves."""

from __future__ import annotations

from shim import fragment


def run() -> int:
    """Print the path; 0. Raises UserError if the installation has no fragment."""
    print(fragment.source())
    return 0
