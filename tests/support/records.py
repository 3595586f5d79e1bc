"""Runs as tests need them: records on disk, and the pieces of one."""

from __future__ import annotations

import itertools
import os
import sqlite3
import time
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path

from make_metrics.combine.event import Event
from make_metrics.combine.record import Contents, Line, Make
from make_metrics.combine.run import Run, events_of, gather
from make_metrics.combine.summary import Summary, summarise
from make_metrics.files.paths import Paths
from make_metrics.hot import append, procfs, record_format
from make_metrics.project.project import Project
from make_metrics.store.store import Store
from tests.support.store import ask

WALL_NS = 4_000_000_000_000_000_000  # 2096-10-02: what is kept for a time is never too old, whenever the tests run
MS = 1_000_000
_numbers = itertools.count(1)


def paths_in(root: Path) -> Paths:
    return Paths.from_environment({"MAKE_METRICS_HOME": str(root)})


def ended_run() -> str:
    """The key of a process of this boot that has ended: no process has ever started in the boot's first second."""
    return f"{procfs.host().decode()}.{next(_numbers)}.1"


def line(
    target: str = "a",
    *,
    make: str = "m",
    goal: str = "",
    level: int = 0,
    start: float = 0,
    end: float | None = None,
    status: int = 0,
    fate: int = 0,
    usage: tuple[int, int] | None = (0, 0),
) -> Line:
    """A line; `start` and `end` are milliseconds since the run began, and the end is 1 ms later if it is not given."""
    start_ns = int(start * MS)
    return Line(
        make=make,
        target=target,
        goal=goal,
        level=level,
        wall_ns=WALL_NS + start_ns,
        start_ns=start_ns,
        end_ns=start_ns + MS if end is None else int(end * MS),
        status=status,
        fate=fate,
        cpu_us=usage and usage[0],
        peak_kib=usage and usage[1],
    )


def make_in_project(run: str, project: Project, **more: str) -> Make:
    """The make of a run in a project's directory, where the environment allows sending."""
    header: dict[str, str] = {"directory": str(project.directory), "ceiling": "on", **more}
    return Make(key=run, goals=("a",), **header)  # type: ignore[arg-type]


def entry_of(part: Line | Make) -> bytes:
    """A line or a make as an entry of a record."""
    if isinstance(part, Make):
        return record_format.make_entry(asdict(part))
    return record_format.line_entry(
        part.make.encode(),
        part.target.encode(),
        part.goal.encode(),
        part.level,
        part.wall_ns,
        part.start_ns,
        part.end_ns,
        part.status,
        part.fate,
        None if part.cpu_us is None or part.peak_kib is None else (part.cpu_us, part.peak_kib),
    )


def add(paths: Paths, run: str, *parts: Line | Make) -> Path:
    """Append entries to a run's record as the shim does."""
    paths.records.mkdir(parents=True, exist_ok=True)
    for part in parts:
        append.append_entry(bytes(paths.records), run.encode(), entry_of(part))
    return paths.records / f"{run}.rec"


def run_with(name: str, *targets: str, start_ns: int = WALL_NS) -> Run:
    """A run that has a line for each target. The first one is the goal."""
    lines = [replace(line(target, make=name), wall_ns=start_ns) for target in targets]
    make = Make(key=name, goals=targets[:1], directory="/project", version="4.3", wall_ns=start_ns)
    return gather(name, Contents(lines=lines, makes=[make]))


def fill_store(connection: sqlite3.Connection, runs: int = 20) -> None:
    """Write runs with twenty targets each to the store."""
    store = Store(connection)
    for number in range(runs):
        lines = [line(f"t{target}", make=f"r{number}", start=target) for target in range(20)]
        run = gather(f"r{number}", Contents(lines=lines))
        events = events_of(run)
        with store.transaction():
            store.put(run, summarise(run, events, fallback_ns=0), events, now_ns=0)


def stored(paths: Paths) -> list[Event]:
    problems: list[str] = []
    events = ask(paths, lambda connection: Store(connection).events(), problems)
    assert problems == []
    return [stored.event for stored in events]


def runs(paths: Paths) -> list[Summary]:
    return ask(paths, lambda connection: Store(connection).runs())


def lines_of(paths: Paths) -> dict[str, int]:
    """How many recipe lines the store has of each run."""
    counts: Counter[str] = Counter()
    for event in stored(paths):
        counts[event.run] += event.recipe_lines
    return dict(counts)


def age(path: Path, seconds: float) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then), follow_symlinks=False)


def slower() -> float:
    """How many times slower this machine is than the one that limits of processor time were set on; 1 at least."""
    begun = time.process_time()
    for number in range(1_000_000):
        str(number).encode()
    return max(1.0, (time.process_time() - begun) / 0.15)


def left_in(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())
