"""Keeps the figures of each attack: in a folder, so that several runs make one page, and beside the page."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ci.adversary.place import Figure
from ci.adversary.window import Window
from ci.build_launcher import ROOT

# The attacks, and what they attack: the package but for the team's receiver, and the fragment.
_ATTACKED = ("ci/adversary/**/*.py", "make_include/*.mk", "shim/make_metrics/**/*.*", "shim/make_metrics/hot/launcher")
_NOT_ATTACKED = {"server", "__pycache__", "page.py", "kept.py"}


@dataclass(frozen=True, slots=True)
class Attack:
    """What one attack with one shim has shown, the command that ran it, and the commit that was attacked."""

    command: str
    figures: list[Figure]
    window: Window | None = None
    commit: str = ""


def of_this_version(folder: Path | None) -> Path | None:
    """The folder, in `folder`, of figures that this version's attacks on this version have given."""
    if folder is None:
        return None
    digest = hashlib.sha256()
    for path in sorted({path for pattern in _ATTACKED for path in ROOT.glob(pattern)}):
        name = path.relative_to(ROOT)
        if path.is_file() and not _NOT_ATTACKED & set(name.parts):
            digest.update(b"%b %b " % (str(name).encode(), hashlib.sha256(path.read_bytes()).digest()))
    return folder / digest.hexdigest()[:12]


def kept(folder: Path | None, name: str, shim: str, attack: Attack) -> None:
    """Write an attack's figures, if there is a folder for them."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        _path(folder, name, shim).write_text(json.dumps(asdict(attack), indent=1))


def read(folder: Path | None, name: str, shim: str) -> Attack | None:
    """The figures that an earlier run has kept."""
    if folder is None or not (path := _path(folder, name, shim)).exists():
        return None
    return _attack(json.loads(path.read_text()))


def _attack(content: dict[str, Any]) -> Attack:
    window = Window(**content["window"]) if content["window"] else None
    figures = [Figure(**each) for each in content["figures"]]
    return Attack(content["command"], figures, window, content.get("commit", ""))


def commit() -> str:
    """The commit of this checkout, with `-dirty` if it was changed since; empty outside of a repository."""
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*"]
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()


def published(path: Path) -> dict[tuple[str, str], Attack]:
    """The figures beside the page, by attack and shim."""
    if not path.exists():
        return {}
    return {(each["name"], each["shim"]): _attack(each) for each in json.loads(path.read_text())}


def publish(path: Path, attacks: Mapping[tuple[str, str], Attack]) -> None:
    """Write the figures beside the page."""
    documents = [{"name": name, "shim": shim, **asdict(attack)} for (name, shim), attack in attacks.items()]
    path.write_text(json.dumps(documents, indent=1) + "\n")


def _path(folder: Path, name: str, shim: str) -> Path:
    return folder / f"{name}-{shim or 'any'}.json"
