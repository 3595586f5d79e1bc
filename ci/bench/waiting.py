"""Measures the memory of lines while they wait for their recipes."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from ci.bench.workspace import Workspace

_LIMIT_S = 600
_SETTLE_S = 0.5  # until the Python shims have loaded the recorder


@dataclass(frozen=True)
class Waiting:
    """Memory of the shims of waiting lines, when the most of them (`at_once`) wait.

    `private_kib`: memory of a line that no other process shares; `proportional_kib`: with its part of shared memory.
    """

    jobs: int
    lines: int
    at_once: int
    private_kib: float
    proportional_kib: float

    @property
    def together_mib(self) -> float:
        """Memory of all lines that wait at once."""
        return self.at_once * self.proportional_kib / 1024


def waiting(workspace: Workspace, lines: int) -> dict[str, Waiting]:
    """Memory of the shims of `lines` lines with -j64, and with a job for each line."""
    memory = {}
    for way, fragment in (("compiled", workspace.compiled), ("Python shim", workspace.python)):
        for jobs in dict.fromkeys((64, lines)):
            memory[f"{way}, -j{jobs}"] = _measured(workspace, fragment, lines, jobs)
    return memory


def _measured(workspace: Workspace, fragment: Path, lines: int, jobs: int) -> Waiting:
    workspace.clear()
    names = " ".join(f"t{number}" for number in range(lines))
    recipe = "\t@touch ready.$@; read line < gate || :\n"
    text = f"all: {names}\n{names}: first\n{recipe}first:\n\t@:\n-include {fragment}\n"
    (workspace.work / "Makefile").write_text(text)
    gate = workspace.work / "gate"
    os.mkfifo(gate)
    make = subprocess.Popen(
        [workspace.make, f"-j{jobs}"],
        cwd=workspace.work,
        env=workspace.environment("/bin/sh"),
        stdout=subprocess.DEVNULL,
    )
    held: list[tuple[int, float, float]] = []
    through = 0
    give_up = time.monotonic() + _LIMIT_S
    while make.poll() is None and time.monotonic() < give_up:
        ready = len(list(workspace.work.glob("ready.*")))
        if ready < lines and ready - through < jobs:
            time.sleep(0.02)
            continue
        if ready > through:
            time.sleep(_SETTLE_S)
            held.append(_held(make.pid))
            through = ready
        _open(gate)  # a line that opens it later passes the next time
        time.sleep(0.02)
    if make.wait(_LIMIT_S):
        raise RuntimeError("a make whose lines waited failed")
    most, private, proportional = max(held)
    return Waiting(jobs, lines, most, private / most / 1024, proportional / most / 1024)


def _held(make: int) -> tuple[int, float, float]:
    """The number of shims, and the bytes that they hold: unshared, and with their part of shared memory."""
    memory = [shim.memory_full_info() for shim in psutil.Process(make).children()]
    return len(memory), sum(shim.uss for shim in memory), sum(shim.pss for shim in memory)


def _open(gate: Path) -> None:
    """Open a FIFO for all lines that wait to read it."""
    with contextlib.suppress(OSError):
        try:
            os.close(os.open(gate, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            if error.errno != errno.ENXIO:  # no line waits
                raise
