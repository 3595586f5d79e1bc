"""`python -m ci.transparency`: writes docs/transparency.md from the registry of what may be sent.

With `--check` nothing is written: it fails if the page is not what would be written.
"""

from __future__ import annotations

import sys
from pathlib import Path

from make_metrics.report.transparency_page import page

PAGE = Path(__file__).resolve().parent.parent / "docs" / "transparency.md"


def main(arguments: list[str]) -> int:
    """Write the page, or check it; 1 if it is stale."""
    if arguments == ["--check"]:
        current = PAGE.read_text() if PAGE.exists() else ""
        if current != page():
            print(f"{PAGE} is stale: run python -m ci.transparency", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
