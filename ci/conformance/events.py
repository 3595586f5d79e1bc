"""The event side of a case: what was recorded, as lines that are the same on every make and platform.

A line is `LEVEL TARGET STATUS LINES`, with `goal` after it for a target that was asked for and `lost=N` for entries
that could not be read. Durations and times are left out; events of runs with the same lines are counted in front: `3x`.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections import Counter
from pathlib import Path

import psutil

from make_metrics.combine import record
from make_metrics.combine.event import Event
from make_metrics.combine.run import Run, events_of, gather, merge
from make_metrics.files.paths import Paths
from make_metrics.hot import record_format
from make_metrics.processes import tree
from make_metrics.store import database
from make_metrics.store.store import Store
from make_metrics.sweep.sweep import sweep

_PATIENCE_S = 100


def _line(event: Event) -> str:
    target = record_format.encode(event.target.encode("utf-8", "backslashreplace")).decode("ascii")
    words = [str(event.make_level), target, str(event.exit_status), str(event.recipe_lines)]
    return " ".join([*words, "goal"] if event.goal else words)


def _writers(state: Path) -> list[int]:
    """The shims and walks that still run for a state directory: the words they were started with name it."""
    names = str(state), tree.rotate(os.fsencode(state)).decode()
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if any(name in word for word in process.cmdline() for name in names):
                found.append(process.pid)
    return found


def taken(state: Path) -> list[str]:
    """The events of all records below a state directory, which is emptied; waits for lines that outlive their make."""
    give_up = time.monotonic() + _PATIENCE_S
    while _writers(state) and time.monotonic() < give_up:
        time.sleep(0.02)
    paths = Paths(data=state.parent / "data", config=state.parent / "config", state=state)
    if paths.store.exists():  # where many makes were run a walk has begun to combine what waits: so do we
        sweep(paths)
        with contextlib.closing(database.connect(paths.store)) as found:
            stored = Store(found).events()
        return _counted([each.event for each in stored], torn=0, state=state)
    runs: dict[str, Run] = {}
    for path in sorted((state / "records").glob("*.rec")):
        contents = record.parse(path.read_bytes())
        gathered = gather(contents.run, contents)
        known = runs.get(contents.run)
        runs[contents.run] = merge(known, gathered) if known else gathered
    torn = sum(run.torn for run in runs.values())
    return _counted([event for run in runs.values() for event in events_of(run)], torn=torn, state=state)


def _counted(events: list[Event], *, torn: int, state: Path) -> list[str]:
    shutil.rmtree(state, ignore_errors=True)
    counted = Counter(map(_line, events))
    lines = [line if count == 1 else f"{count}x {line}" for line, count in sorted(counted.items())]
    return [*lines, f"lost={torn}"] if torn else lines
