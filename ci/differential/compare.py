"""Runs a program with plain make and with both shims, and says what differs."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from ci.conformance import cases, events, report
from ci.conformance.execute import Bench, Outcome, prepare
from ci.differential.program import Program

LIMIT_S = 20
_TIMES = 6  # how often a program is run before its difference counts: jobs race, and clocks are coarse


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
        recorded: list[tuple[str, ...]] = []
        for bench in self._benches:
            plain = [bench.run(case, mode, ours=False)]  # of this bench: its paths may stand in files
            ours = self._ours(bench, case, mode, recorded)
            if ours in plain:
                continue
            tries = [ours]
            while len(plain) < _TIMES and ours not in plain:
                plain.append(bench.run(case, mode, ours=False))
            while len(tries) < _TIMES and not set(tries) & set(plain):
                tries.append(self._ours(bench, case, mode, []))
            if not set(tries) & set(plain) and not _same_torn_lines(plain[0], ours, mode):
                name = "compiled" if bench.compiled else "python"
                return Result((f"shim {name}", *report.differences(plain[0].parts(), ours.parts())), recorded[0])
        return Result((), recorded[0])

    @staticmethod
    def _ours(bench: Bench, case: cases.Case, mode: cases.Mode, recorded: list[tuple[str, ...]]) -> Outcome:
        outcome = bench.run(case, mode, ours=True)
        recorded.append(tuple(events.take_events(bench.paths.state)))
        return outcome


def _same_torn_lines(plain: Outcome, ours: Outcome, mode: cases.Mode) -> bool:
    """Whether jobs have torn each other's lines, and nothing else differs."""
    verdict = report.Verdict("", "", "")
    report.judge(verdict, plain, ours, (), interleaved=mode.jobs == "j4")
    return verdict.verdict == report.SAME
