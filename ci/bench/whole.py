"""What a whole make costs, and how cost grows with the number of lines."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from ci.bench.lines import PLAIN, SCENARIOS, WAYS, makefile
from ci.bench.place import Place
from ci.bench.timing import Spread, ended, in_turn
from ci.build_launcher import ROOT

INTERPRETER, PSUTIL = "python -I -S -c pass", "python -I -S -c 'import psutil'"
_TRIVIAL, _LONG = "all:\n\t@:\n", "all:\n\t@sleep 0.2\n"
_NOTHING = "all: Makefile\n"


def starts(place: Place, rounds: int) -> dict[str, Spread]:
    """Milliseconds of what any shim in Python starts with, of what the walk has to load, and of a shell."""
    beside = str(Path(psutil.__file__).parent.parent)
    runs = {
        "sh -c :": (["sh", "-c", ":"], place.work),
        INTERPRETER: ([sys.executable, "-I", "-S", "-c", "pass"], place.work),
        PSUTIL: (
            [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.append({beside!r}); import psutil"],
            place.work,
        ),
    }
    return in_turn(runs, place.environment("/bin/sh"), rounds)


def makes(place: Place, rounds: int) -> dict[str, dict[str, Spread]]:
    """Milliseconds of a make with one trivial target, with one that takes a while, and with nothing to do."""
    found = {}
    for name, text in (("one trivial target", _TRIVIAL), ("one target of 200 ms", _LONG), ("nothing to do", _NOTHING)):
        place.clear()
        runs = {}
        tails = {PLAIN: "", "compiled": f"-include {place.compiled}\n", "Python shim": f"-include {place.python}\n"}
        for way, tail in tails.items():
            folder = place.work / way.replace(" ", "-")
            folder.mkdir()
            (folder / "Makefile").write_text(text + tail)
            runs[way] = ([place.make], folder)
        # The developer's own make combines waiting records in what is left of a recipe's time: keep them few.
        found[name] = in_turn(runs, place.environment("/bin/sh"), rounds, before=partial(_forget, place))
    return found


def _forget(place: Place) -> None:
    for path in place.paths.records.glob("*"):
        path.unlink()


@dataclass(frozen=True)
class Growth:
    """One run of so many lines, and combining it."""

    lines: int
    plain_ms: float
    compiled_ms: float
    record_kib: float
    combine_s: float
    combine_peak_mib: float


def growth(place: Place, most: int, rounds: int) -> list[Growth]:
    """How cost grows with the lines of a run; combining is a whole `make-metrics runs`."""
    environ = {**place.environment("/bin/sh"), "PYTHONPATH": str(ROOT / "shim")}
    combine = [sys.executable, "-m", "make_metrics", "runs"]
    plain, compiled = WAYS[0], WAYS[1]
    found = []
    count = 10
    while count <= most:
        taken: dict[str, list[float]] = {plain.name: [], compiled.name: []}
        sweeps = []
        size = 0
        for _ in range(rounds if count < most else 1):
            for way in (plain, compiled):
                place.clear()
                (place.work / "Makefile").write_text(_many_targets(place, way is compiled, count))
                taken[way.name].append(ended([place.make], place.work, environ).seconds * 1000 / count)
            size = sum(path.stat().st_size for path in place.paths.records.glob("*.rec"))
            sweeps.append(ended(combine, place.work, environ))
        middle = sorted(sweeps, key=lambda one: one.seconds)[len(sweeps) // 2]
        medians = [Spread.of(taken[way.name]).median for way in (plain, compiled)]
        found.append(Growth(count, medians[0], medians[1], size / 1024, middle.seconds, middle.peak_mib))
        count *= 10
    return found


def _many_targets(place: Place, measured: bool, count: int) -> str:
    """Ten lines a target."""
    way = WAYS[1] if measured else WAYS[0]
    if count <= 10:
        return makefile(SCENARIOS[0], way, place, count)
    names = " ".join(f"t{number}" for number in range(count // 10))
    return f"all: {names}\n{names}:\n" + "\t@:; :\n" * 10 + f"{way.tail(place)}\n"


def machine() -> dict[str, str]:
    """What it was measured on."""
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
