"""What lines hold while they wait for their recipes."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from ci.bench.place import Place

_LIMIT_S = 600
_SETTLE_S = 0.5  # until the Python shims have loaded what they keep their books with


@dataclass(frozen=True)
class Waiting:
    """Memory of the shims of lines that wait: how many there were at most at once, and what those held.

    KiB a line: what no other process shares, and the same with the line's part of what several share.
    """

    jobs: int
    lines: int
    at_once: int
    private_kib: float
    proportional_kib: float

    @property
    def together_mib(self) -> float:
        """What all that waited at once held."""
        return self.at_once * self.proportional_kib / 1024


def waiting(place: Place, lines: int) -> dict[str, Waiting]:
    """Memory of the shims of so many lines at -j64, and with a job for each of them."""
    found = {}
    for way, fragment in (("compiled", place.compiled), ("Python shim", place.python)):
        for jobs in dict.fromkeys((64, lines)):
            found[f"{way}, -j{jobs}"] = _measured(place, fragment, lines, jobs)
    return found


def _measured(place: Place, fragment: Path, lines: int, jobs: int) -> Waiting:
    place.clear()
    names = " ".join(f"t{number}" for number in range(lines))
    recipe = "\t@touch ready.$@; read line < gate || :\n"
    text = f"all: {names}\n{names}: first\n{recipe}first:\n\t@:\n-include {fragment}\n"
    (place.work / "Makefile").write_text(text)
    gate = place.work / "gate"
    os.mkfifo(gate)
    make = subprocess.Popen(
        [place.make, f"-j{jobs}"], cwd=place.work, env=place.environment("/bin/sh"), stdout=subprocess.DEVNULL
    )
    held: list[tuple[int, float, float]] = []
    through = 0
    give_up = time.monotonic() + _LIMIT_S
    while make.poll() is None and time.monotonic() < give_up:
        ready = len(list(place.work.glob("ready.*")))
        if ready < lines and ready - through < jobs:
            time.sleep(0.02)
            continue
        if ready > through:
            time.sleep(_SETTLE_S)
            held.append(_held(make.pid))
            through = ready
        _open(gate)  # a line that was late to look is let through the next time
        time.sleep(0.02)
    if make.wait(_LIMIT_S):
        raise RuntimeError("a make whose lines waited failed")
    most, private, proportional = max(held)
    return Waiting(jobs, lines, most, private / most / 1024, proportional / most / 1024)


def _held(make: int) -> tuple[int, float, float]:
    """How many shims there are, and the bytes that they hold."""
    found = [shim.memory_full_info() for shim in psutil.Process(make).children()]
    return len(found), sum(one.uss for one in found), sum(one.pss for one in found)


def _open(gate: Path) -> None:
    """Let everybody through who waits at a FIFO."""
    with contextlib.suppress(OSError):
        try:
            os.close(os.open(gate, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            if error.errno != errno.ENXIO:  # nobody waits
                raise
