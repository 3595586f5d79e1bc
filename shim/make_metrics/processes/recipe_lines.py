"""The recipe lines that run now below a make: its shims show their targets."""

from __future__ import annotations

import contextlib
from typing import NamedTuple

import psutil

from make_metrics.processes.keys import process_key, start_time_ns
from make_metrics.processes.tree import shim_of


class RunningLine(NamedTuple):
    """A line: the key of its make, its target, and its start in nanoseconds since the epoch."""

    make: str
    target: str
    started_ns: int


def running_lines(pid: int) -> list[RunningLine]:
    """The lines that run below a make process, with those of the makes that they start; none if it has ended."""
    lines = []
    with contextlib.suppress(psutil.Error):
        for process in psutil.Process(pid).children(recursive=True):
            shim = shim_of(process)
            if shim is None or not shim.target or not shim.has_make:
                continue
            with contextlib.suppress(psutil.Error):
                make = process_key(process.ppid())
                if make:
                    target = shim.target.decode("utf-8", "backslashreplace")
                    lines.append(RunningLine(make, target, start_time_ns(process)))
    return lines
