"""Approved differences: which lines may differ in which case, and why."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

APPROVED = Path(__file__).resolve().parents[1] / "approved-differences.toml"


@dataclass(slots=True)
class Approval:
    """An entry of the list: `case`, `mode`, `platform`, `make` and `shim` are patterns as for file names, with blanks
    between several.

    `lines` are regular expressions; each line that differs must match one of them in full. `between` is `plain` (plain
    make and ours) or `reports` (two reports, see `ci.compare`). `used` is set when the entry has allowed a line.
    """

    case: str
    why: str
    lines: tuple[str, ...]
    mode: str = "*"
    platform: str = "*"
    make: str = "*"
    shim: str = "*"
    between: str = "plain"
    used: bool = field(default=False, compare=False)

    def covers(self, *, case: str, mode: str, platform: str, make: str, shim: str) -> bool:
        """Whether the entry holds for a case in a mode, and for where it was run."""
        pairs = ((self.case, case), (self.mode, mode), (self.platform, platform), (self.make, make),
                 (self.shim, shim))  # fmt: skip
        return all(any(fnmatchcase(value, one) for one in _patterns(text, value)) for text, value in pairs)

    def allows(self, line: str) -> bool:
        """Whether the line may differ."""
        return any(re.fullmatch(pattern, line, re.DOTALL) for pattern in self.lines)


def _patterns(text: str, value: str) -> list[str]:
    """The patterns in a text; the text itself if the value has blanks too, as for a difference between two reports."""
    return [text] if " " in value else text.split()


def load(path: Path = APPROVED) -> list[Approval]:
    """The entries of the list; raises TypeError for an unknown key, or one that is missing."""
    entries = tomllib.loads(path.read_text()).get("difference", [])
    return [Approval(**{**entry, "lines": tuple(entry["lines"])}) for entry in entries]
