"""Measures a whole make, and how its cost grows with the number of lines."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from ci.bench.lines import PLAIN, SCENARIOS, WAYS, makefile
from ci.bench.timing import Spread, ended, in_turn
from ci.bench.workspace import Workspace
from ci.build_launcher import ROOT

INTERPRETER, PSUTIL = "python -I -S -c pass", "python -I -S -c 'import psutil'"
_TRIVIAL, _LONG = "all:\n\t@:\n", "all:\n\t@sleep 0.2\n"
_NOTHING = "all: Makefile\n"


def starts(workspace: Workspace, rounds: int) -> dict[str, Spread]:
    """Milliseconds to start a shell, an interpreter, and an interpreter that loads psutil as the walk does."""
    site_packages = str(Path(psutil.__file__).parent.parent)
    runs = {
        "sh -c :": (["sh", "-c", ":"], workspace.work),
        INTERPRETER: ([sys.executable, "-I", "-S", "-c", "pass"], workspace.work),
        PSUTIL: (
            [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({site_packages!r}); import psutil"],
            workspace.work,
        ),
    }
    return in_turn(runs, workspace.environment("/bin/sh"), rounds)


def makes(workspace: Workspace, rounds: int) -> dict[str, dict[str, Spread]]:
    """Milliseconds of a make with a trivial target, with one of 200 ms, and with nothing to do."""
    spreads = {}
    for name, text in (("one trivial target", _TRIVIAL), ("one target of 200 ms", _LONG), ("nothing to do", _NOTHING)):
        workspace.clear()
        runs = {}
        tails = {
            PLAIN: "",
            "compiled": f"-include {workspace.compiled}\n",
            "Python shim": f"-include {workspace.python}\n",
        }
        for way, tail in tails.items():
            folder = workspace.work / way.replace(" ", "-")
            folder.mkdir()
            (folder / "Makefile").write_text(text + tail)
            runs[way] = ([workspace.make], folder)
        # The walk combines records when many wait: keep them few.
        spreads[name] = in_turn(runs, workspace.environment("/bin/sh"), rounds, before=partial(_forget, workspace))
    return spreads


def _forget(workspace: Workspace) -> None:
    for path in workspace.paths.records.glob("*"):
        path.unlink()


@dataclass(frozen=True)
class Growth:
    """The cost of a run of `lines` lines, and of combining it."""

    lines: int
    plain_ms: float
    compiled_ms: float
    record_kib: float
    combine_s: float
    combine_peak_mib: float


def growth(workspace: Workspace, most: int, rounds: int) -> list[Growth]:
    """The cost of runs of 10, 100 and so on up to `most` lines; combining is a whole `make-metrics runs`."""
    environ = {**workspace.environment("/bin/sh"), "PYTHONPATH": str(ROOT / "shim")}
    combine = [sys.executable, "-m", "make_metrics", "runs"]
    plain, compiled = WAYS[0], WAYS[1]
    sizes = []
    count = 10
    while count <= most:
        times: dict[str, list[float]] = {plain.name: [], compiled.name: []}
        sweeps = []
        size = 0
        for _ in range(rounds if count < most else 1):
            for way in (plain, compiled):
                workspace.clear()
                (workspace.work / "Makefile").write_text(_many_targets(workspace, way is compiled, count))
                times[way.name].append(ended([workspace.make], workspace.work, environ).seconds * 1000 / count)
            size = sum(path.stat().st_size for path in workspace.paths.records.glob("*.rec"))
            sweeps.append(ended(combine, workspace.work, environ))
        middle = sorted(sweeps, key=lambda sweep: sweep.seconds)[len(sweeps) // 2]
        medians = [Spread.of(times[way.name]).median for way in (plain, compiled)]
        sizes.append(Growth(count, medians[0], medians[1], size / 1024, middle.seconds, middle.peak_mib))
        count *= 10
    return sizes


def _many_targets(workspace: Workspace, measured: bool, count: int) -> str:
    """A Makefile of `count` lines, ten in a target."""
    way = WAYS[1] if measured else WAYS[0]
    if count <= 10:
        return makefile(SCENARIOS[0], way, workspace, count)
    names = " ".join(f"t{number}" for number in range(count // 10))
    return f"all: {names}\n{names}:\n" + "\t@:; :\n" * 10 + f"{way.tail(workspace)}\n"


def machine() -> dict[str, str]:
    """The machine: processor, system, interpreter and load."""
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    name = os.uname()
    return {
        "processor": f"{cpu}, {os.cpu_count()} cores",
        "system": f"{name.sysname} {name.release} {name.machine}",
        "python": sys.version.split()[0],
        "load before": f"{os.getloadavg()[0]:.1f}",
    }
