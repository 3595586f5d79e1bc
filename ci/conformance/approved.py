"""Approved differences: the short, reasoned list of what may differ, and where."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

APPROVED = Path(__file__).resolve().parents[1] / "approved-differences.toml"


@dataclass(slots=True)
class Approval:
    """One entry: which lines may differ in which case, mode, platform, make and shim (file name patterns), and why.

    `lines` are regular expressions; each line that differs must match one of them in full. `used` tells whether
    the entry was needed.
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
        """Whether the entry speaks of this run."""
        said = ((self.case, case), (self.mode, mode), (self.platform, platform), (self.make, make),
                (self.shim, shim))  # fmt: skip
        return all(fnmatchcase(value, pattern) for pattern, value in said)

    def allows(self, line: str) -> bool:
        """Whether the entry names this line."""
        return any(re.fullmatch(pattern, line, re.DOTALL) for pattern in self.lines)


def load(path: Path = APPROVED) -> list[Approval]:
    """The entries of the list; raises TypeError for a key that an entry cannot have or lacks."""
    entries = tomllib.loads(path.read_text()).get("difference", [])
    return [Approval(**{**entry, "lines": tuple(entry["lines"])}) for entry in entries]
