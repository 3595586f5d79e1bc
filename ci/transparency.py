"""Write docs/transparency.md from the registry of properties: `python -m ci.transparency`.

With `--check` it writes nothing, and exits with status 1 if the page is out of date.
"""

from __future__ import annotations

import sys
from pathlib import Path

from make_metrics.report.transparency_page import page

PAGE = Path(__file__).resolve().parent.parent / "docs" / "transparency.md"


def main(arguments: list[str]) -> int:
    """Write or check the page; 1 if it is out of date."""
    if arguments == ["--check"]:
        current = PAGE.read_text() if PAGE.exists() else ""
        if current != page():
            print(f"{PAGE} is out of date: run python -m ci.transparency", file=sys.stderr)
            return 1
        return 0
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
