"""What a real project's build costs: Lua, from Debian's archive, with its own makefiles."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from ci.bench.lines import PLAIN
from ci.bench.place import Place
from ci.bench.timing import Spread
from ci.conformance import events
from ci.real_projects import PROJECTS, build, fetch


@dataclass(frozen=True)
class Build:
    """A project, how many targets of it are measured, and milliseconds of its build by way."""

    name: str
    targets: int
    ways: dict[str, Spread]


def real(place: Place, rounds: int, sources: Path | None) -> Build | None:
    """The ways in turn, each in a fresh copy; None where the sources cannot be had (no network, no apt)."""
    project = next(one for one in PROJECTS if one.name == "lua5.4")
    try:
        source = fetch([project.name], sources or place.folder / "fetched")[project.name]
    except (OSError, subprocess.CalledProcessError):
        return None
    tails = {PLAIN: None, "compiled": f"-include {place.compiled}", "Python shim": f"-include {place.python}"}
    taken: dict[str, list[float]] = {way: [] for way in tails}
    targets = 0
    place.clear()
    for _ in range(rounds):
        for way, line in tails.items():
            taken[way].append(build(project, source, place.folder / "build", place.make, line)[1] * 1000)
            if line:
                targets = len(events.take_events(place.paths.state))
    return Build(project.name, targets, {way: Spread.of(values) for way, values in taken.items()})
