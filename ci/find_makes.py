"""The GNU makes to test with: `python -m ci.find_makes` lists them. `ci/makes` says where they are looked for."""

from __future__ import annotations

import glob
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_LIST = _ROOT / "ci/makes"
_VENV = Path(sys.executable).parent
# Apple's make 3.81 differs from GNU's; only it has a default for this variable. An assignment would spoil the answer.
_QUESTION = "$(info $(MAKE_VERSION)$(if $(filter default,$(origin MAKEFILEPATH)),-apple))\nall: ;\n"


def places(environ: Mapping[str, str] = os.environ) -> Iterator[Path]:
    """The programs at the places of `ci/makes` and $MAKES, in that order; they may be no makes."""
    lines = [line.strip() for line in _LIST.read_text().splitlines()]
    named = [line for line in lines if line and not line.startswith("#")]
    # The environment's own make comes last of those in PATH: it stands for the system's where there is none.
    folders = [folder for folder in os.get_exec_path(dict(environ)) if Path(folder) != _VENV]
    for place in (*named, *filter(None, environ.get("MAKES", "").split(":"))):
        if "/" in place:
            patterns = [str(_ROOT / Path(place).expanduser())]
        else:
            patterns = [str(Path(folder) / place) for folder in (*folders, str(_VENV))]
        for pattern in patterns:
            yield from (Path(path) for path in sorted(glob.glob(pattern)) if os.access(path, os.X_OK))  # noqa: PTH207 - absolute


@cache
def version(make: Path) -> str:
    """The version of a make, as in `4.2.1` or `3.81-apple`; empty if the program is no GNU make."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    try:
        done = subprocess.run([make, "-s", "-f", "-", "all"], input=_QUESTION, env=environ, capture_output=True,
                              text=True, check=False, timeout=20)  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    first = done.stdout.partition("\n")[0]
    return first if first[:1].isdigit() else ""


def find() -> dict[str, Path]:
    """The makes that were found, by version, the earliest version first."""
    found: dict[str, Path] = {}
    for path in places():
        if name := version(path):
            found.setdefault(name, path)
    return dict(sorted(found.items(), key=lambda item: _order(item[0])))


def _order(name: str) -> tuple[list[int], str]:
    """A key that puts versions in their order."""
    number, _, maker = name.partition("-")
    return [int(part) if part.isdigit() else 0 for part in number.split(".")], maker


if __name__ == "__main__":
    for name, path in find().items():
        print(f"{name:<12} {path}")
