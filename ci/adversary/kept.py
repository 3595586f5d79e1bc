"""Keeps the figures of each attack in a folder, so that several runs make one page."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ci.adversary.place import Figure
from ci.adversary.window import Window


@dataclass(frozen=True, slots=True)
class Attack:
    """What one attack with one shim has shown, and the command that ran it."""

    command: str
    figures: list[Figure]
    window: Window | None = None


def kept(folder: Path | None, name: str, shim: str, attack: Attack) -> None:
    """Write an attack's figures, if there is a folder for them."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        _path(folder, name, shim).write_text(json.dumps(asdict(attack), indent=1))


def read(folder: Path | None, name: str, shim: str) -> Attack | None:
    """The figures that an earlier run has kept."""
    if folder is None or not (path := _path(folder, name, shim)).exists():
        return None
    content = json.loads(path.read_text())
    window = Window(**content["window"]) if content["window"] else None
    return Attack(content["command"], [Figure(**each) for each in content["figures"]], window)


def _path(folder: Path, name: str, shim: str) -> Path:
    return folder / f"{name}-{shim or 'any'}.json"
