"""Measures the build of a real project: Lua, from Debian's archive, with its own makefiles."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from ci.bench.lines import PLAIN
from ci.bench.timing import Spread
from ci.bench.workspace import Workspace
from ci.conformance import events
from ci.real_projects import PROJECTS, build, fetch


@dataclass(frozen=True)
class Build:
    """A project, the number of its measured targets, and milliseconds of its build by way."""

    name: str
    targets: int
    ways: dict[str, Spread]


def real(workspace: Workspace, rounds: int, sources: Path | None) -> Build | None:
    """Build a fresh copy in each way in turn; None if the sources cannot be fetched (no network, no apt)."""
    project = next(project for project in PROJECTS if project.name == "lua5.4")
    try:
        source = fetch([project.name], sources or workspace.folder / "fetched")[project.name]
    except (OSError, subprocess.CalledProcessError):
        return None
    tails = {PLAIN: None, "compiled": f"-include {workspace.compiled}", "Python shim": f"-include {workspace.python}"}
    times: dict[str, list[float]] = {way: [] for way in tails}
    targets = 0
    workspace.clear()
    for _ in range(rounds):
        for way, line in tails.items():
            times[way].append(build(project, source, workspace.folder / "build", workspace.make, line)[1] * 1000)
            if line:
                targets = len(events.take_events(workspace.paths.state))
    return Build(project.name, targets, {way: Spread.of(values) for way, values in times.items()})
