"""Runs a program with plain make and with both shims, and says what differs."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from ci.conformance import cases, events, report
from ci.conformance.execute import Bench, Outcome, prepare
from ci.differential.program import Program

LIMIT_S = 20
# How often a program is run before its difference counts: clocks are coarse, and jobs race.
_TIMES, _TIMES_WITH_JOBS = 6, 12
# Bash names the process that a signal has ended: "bash: line 1: 4711 Segmentation fault". No two runs have the same.
_OF_BASH = re.compile(r"(?<=: line )(\d+: ) *\d+ (?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Result:
    """What differs, as lines with + and - (empty: nothing does), and the events of the first shim."""

    differences: tuple[str, ...]
    events: tuple[str, ...]


class Comparer:
    """Benches of their own in a folder: one for each shim."""

    def __init__(self, root: Path, make: Path, *, shims: tuple[str, ...]) -> None:
        """Make the folder `root`; `shims` are `compiled` or `python`."""
        root.mkdir()
        self._root = root
        self._benches = [replace(prepare(root / shim[:1], make, compiled=shim == "compiled"), limit_s=LIMIT_S)
                         for shim in shims]  # fmt: skip

    def compare(self, program: Program) -> Result:
        """Run a program; a difference counts if no run of plain make looks like any run of ours."""
        folder = Path(tempfile.mkdtemp(dir=self._root, prefix="case"))
        try:
            return self._compare(program.write(folder), cases.MODES[program.mode])
        finally:
            shutil.rmtree(folder)

    def _compare(self, case: cases.Case, mode: cases.Mode) -> Result:
        times = _TIMES_WITH_JOBS if mode.jobs else _TIMES
        recorded: list[tuple[str, ...]] = []
        for bench in self._benches:
            plain = [_run(bench, case, mode, ours=False)]  # of this bench: its paths may stand in files
            ours = self._ours(bench, case, mode, recorded)
            if ours in plain:
                continue
            tries = [ours]
            while len(plain) < times and not _alike(tries, plain, mode):
                plain.append(_run(bench, case, mode, ours=False))
            while len(tries) < times and not _alike(tries, plain, mode):
                tries.append(self._ours(bench, case, mode, []))
            if not _alike(tries, plain, mode):
                name = "compiled" if bench.compiled else "python"
                return Result((f"shim {name}", *report.differences(plain[0].parts(), ours.parts())), recorded[0])
        return Result((), recorded[0])

    @staticmethod
    def _ours(bench: Bench, case: cases.Case, mode: cases.Mode, recorded: list[tuple[str, ...]]) -> Outcome:
        outcome = _run(bench, case, mode, ours=True)
        recorded.append(tuple(events.take_events(bench.paths.state)))
        return outcome


def _run(bench: Bench, case: cases.Case, mode: cases.Mode, *, ours: bool) -> Outcome:
    return without_process_ids(bench.run(case, mode, ours=ours))


def without_process_ids(outcome: Outcome) -> Outcome:
    """An outcome without the numbers of processes that bash prints."""
    output, errors = (_OF_BASH.sub(r"\1PID ", text) for text in (outcome.output, outcome.errors))
    return replace(outcome, output=output, errors=errors)


def _alike(ours: list[Outcome], plain: list[Outcome], mode: cases.Mode) -> bool:
    """Whether one of these runs looks like one of those."""
    if mode.jobs:
        return bool(set(map(_torn, ours)) & set(map(_torn, plain)))
    return bool(set(ours) & set(plain))


def _torn(outcome: Outcome) -> tuple[str, int, tuple[str, ...]]:
    """What is the same however jobs tear each other's lines: the characters that were printed, status and files.

    No digits: two targets of one rule share the number of the line that make names in its messages.
    """
    characters = sorted(re.sub(r"\d", "", outcome.output + outcome.errors))
    return "".join(characters), outcome.status, outcome.files
