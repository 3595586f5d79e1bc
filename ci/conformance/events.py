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
from make_metrics.hot import arguments, record_format
from make_metrics.store import database
from make_metrics.store.store import Store
from make_metrics.sweep.sweep import sweep

_PATIENCE_S = 100


def _line(event: Event) -> str:
    target = record_format.encode(event.target.encode("utf-8", "backslashreplace")).decode("ascii")
    words = [str(event.make_level), target, str(event.exit_status), str(event.recipe_lines)]
    return " ".join([*words, "goal"] if event.goal else words)


def _writers(state: Path) -> list[int]:
    """The pids of shims and walks that still run for a state directory.

    Their command lines name it. A launcher that runs a line shows a title alone; its directory and its environment name
    the folder of the bench.
    """
    pids = []
    bench, title = str(state.parent.parent), os.fsdecode(arguments.TITLE)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words, name = process.cmdline(), str(state)
            if words and words[0].startswith(title):
                words, name = [process.cwd(), *process.environ().values()], bench
            if any(name in word for word in words):
                pids.append(process.pid)
    return pids


def take_events(state: Path) -> list[str]:
    """The events below a state directory, which is removed; waits for lines that outlive their make."""
    give_up = time.monotonic() + _PATIENCE_S
    while _writers(state) and time.monotonic() < give_up:
        time.sleep(0.02)
    torn = 0
    paths = Paths(data=state.parent / "data", config=state.parent / "config", state=state)
    if paths.store.exists():  # a case that runs many makes: a walk has begun to combine their records
        sweep(paths)
        with contextlib.closing(database.connect(paths.store)) as connection:
            events = [stored.event for stored in Store(connection).events()]
    else:
        runs = _runs(state / "records")
        torn = sum(run.torn for run in runs)
        events = [event for run in runs for event in events_of(run)]
    shutil.rmtree(state, ignore_errors=True)
    return _lines(events, torn)


def _runs(records: Path) -> list[Run]:
    """The runs of all records in a directory."""
    runs: dict[str, Run] = {}
    for path in sorted(records.glob("*.rec")):
        contents = record.parse(path.read_bytes())
        run = gather(contents.run, contents)
        runs[contents.run] = merge(runs[contents.run], run) if contents.run in runs else run
    return list(runs.values())


def _lines(events: list[Event], torn: int) -> list[str]:
    counts = Counter(map(_line, events))
    lines = [line if count == 1 else f"{count}x {line}" for line, count in sorted(counts.items())]
    return [*lines, f"lost={torn}"] if torn else lines
