"""Runs a program with plain make and with both shims, and says what differs."""

from __future__ import annotations

import re
import shutil
import signal
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ci.conformance import cases, events, report
from ci.conformance.execute import Bench, Outcome, prepare
from ci.differential.program import Program

LIMIT_S = 60  # for a program that hangs
_TIMES = 12  # how often a program is run before its difference counts: clocks are coarse, and processes race
# What no two runs have the same, and what stands for it.
_MASKS = (
    # Bash names the process that a signal has ended: "bash: line 1: 4711 Segmentation fault".
    (re.compile(r"(?<=: line )(\d+: ) *\d+ (?=[A-Z])"), r"\1PID "),
    # Minutes go by: what `ls -n` prints of a file.
    (re.compile(r"\b([A-Z][a-z]{2} [ \d]\d|\d{4}-\d\d-\d\d) \d\d:\d\d\b"), "TIME"),
    # The shell's builtin `times`, and the program `time`.
    (re.compile(r"\b\d+m\d+[.,]\d+s"), "TIME"),
    (re.compile(r"[\d.]+user [\d.]+system .*elapsed .*\n.*pagefaults.*"), "TIME"),
    # A shim dies of its recipe's signal, without a core file of its own (docs/platforms.md).
    (re.compile(r" \(core dumped\)"), ""),
)
# Processes at the same time: a pipe, something in the background, a process substitution.
_AT_ONCE = re.compile(r"(?<![|&>])[|&](?![|&:\d])|[<>]\(")


def mask(text: str) -> str:
    """A text without what no two runs have the same: process ids, times."""
    for pattern, replacement in _MASKS:
        text = pattern.sub(replacement, text)
    return text


@dataclass(frozen=True, slots=True)
class Result:
    """What differs, as lines with + and - (empty: nothing does), and the events of the first shim.

    A program that plain make itself builds in several ways is `undecided`, if ours is none of them.
    """

    differences: tuple[str, ...]
    events: tuple[str, ...]
    undecided: bool = False


class Comparer:
    """Benches of their own in a folder: one for each shim."""

    def __init__(self, root: Path, make: Path, *, shims: tuple[str, ...]) -> None:
        """Make the folder `root`; `shims` are `compiled` or `python`."""
        root.mkdir()
        self._root = root
        self._benches = [
            replace(
                prepare(root / shim[:1], make, compiled=shim == "compiled"), limit_s=LIMIT_S, commented=True, mask=mask
            )
            for shim in shims
        ]

    def compare(self, program: Program) -> Result:
        """Run a program; a difference counts if no run of plain make looks like any run of ours."""
        folder = Path(tempfile.mkdtemp(dir=self._root, prefix="case"))
        try:
            at_once = any(_AT_ONCE.search(piece.text) for piece in program.pieces)
            return self._compare(program.write(folder), cases.MODES[program.mode], at_once=at_once)
        finally:
            shutil.rmtree(folder)

    def _compare(self, case: cases.Case, mode: cases.Mode, *, at_once: bool) -> Result:
        recorded: list[tuple[str, ...]] = []
        undecided = False
        look = _of_jobs if mode.jobs else _characters if at_once else _exactly
        for bench in self._benches:
            plain = [bench.run(case, mode, ours=False)]  # of this bench: its paths may stand in files
            ours = self._ours(bench, case, mode, recorded)
            if ours in plain:
                continue
            if _never_ends(plain[0]) and _never_ends(ours):
                undecided = True  # how far each has come says nothing
                continue
            tries = [ours]
            while len(plain) < _TIMES and not _alike(look, tries, plain):
                plain.append(bench.run(case, mode, ours=False))
            while len(tries) < _TIMES and not _alike(look, tries, plain):
                tries.append(self._ours(bench, case, mode, []))
            if _alike(look, tries, plain):
                continue
            if len(set(map(look, plain))) > 1 or (mode.jobs and self._depends_on_jobs(bench, case, mode, plain[0])):
                undecided = True
                continue
            name = "compiled" if bench.compiled else "python"
            return Result((f"shim {name}", *report.differences(plain[0].parts(), ours.parts())), recorded[0])
        return Result((), recorded[0], undecided)

    @staticmethod
    def _depends_on_jobs(bench: Bench, case: cases.Case, mode: cases.Mode, plain: Outcome) -> bool:
        """Whether plain make builds something else with fewer jobs: its recipes race."""
        fewer = [replace(mode, jobs=mode.jobs.replace("j4", jobs)) for jobs in ("j2", "j1")]
        return any(_of_jobs(bench.run(case, other, ours=False)) != _of_jobs(plain) for other in fewer)

    @staticmethod
    def _ours(bench: Bench, case: cases.Case, mode: cases.Mode, recorded: list[tuple[str, ...]]) -> Outcome:
        outcome = bench.run(case, mode, ours=True)
        recorded.append(tuple(events.take_events(bench.paths.state)))
        return outcome


def _never_ends(outcome: Outcome) -> bool:
    return outcome.status == -signal.SIGKILL and "\nTIMEOUT\n" in outcome.output + outcome.errors


def _alike(look: Callable[[Outcome], object], ours: list[Outcome], plain: list[Outcome]) -> bool:
    """Whether one of these runs looks like one of those."""
    return not set(map(look, ours)).isdisjoint(map(look, plain))


def _exactly(outcome: Outcome) -> object:
    return outcome


def _characters(outcome: Outcome) -> object:
    """What is the same however processes tear each other's lines: the characters, status and files."""
    return "".join(sorted(outcome.output + outcome.errors)), outcome.status, outcome.files


def _of_jobs(outcome: Outcome) -> object:
    """The same without digits: two targets of one rule share the number of the line that make names in its messages."""
    characters = re.sub(r"\d", "", outcome.output + outcome.errors)
    return "".join(sorted(characters)), outcome.status, outcome.files
