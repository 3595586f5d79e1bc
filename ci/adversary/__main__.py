"""Attack homes and builds, and write what was lost, doubled, leaked or built otherwise to docs/reliability.md.

    python -m ci.adversary --quick

Without --quick it takes some hours; `--part 0.1` does a tenth of what takes longest. With `--keep FOLDER` each attack's
figures stay there, of the kills those of each hundred rounds, and what has some of this version is not run again: hours
can be spread over several runs, and the page is written when every attack has its figures. With `--page` nothing is
run: only the rows of what has figures are replaced. The exit status is 1 if anything went wrong.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ci.adversary import disks, kills, secrets, sizes, window
from ci.adversary.kept import Attack, commit, kept, of_this_version, publish, published, read
from ci.adversary.page import FIGURES, PAGE, page
from ci.adversary.place import Figure, shims
from ci.conformance.execute import stop_ignoring_signals
from ci.fuzz.__main__ import fuzz
from make_metrics.setup import bundle

_WITHOUT_SHIM = ("written", "fuzz")


def _fuzzed(seconds: float, seed: int) -> list[Figure]:
    result = fuzz(seed=seed, seconds=seconds)
    tried = f"{result.inputs} inputs for {len(result.kinds)} files: {result.commands} commands, {result.makes} makes"
    return [Figure("damaged files", tried, failed=len(result.failures), notes=result.failures)]


def _print(attack: Attack, shim: str) -> None:
    for figure in attack.figures:
        wrong = f"{figure.lost} lost, {figure.doubled} doubled, {figure.leaked} leaked"
        print(f"{figure.name}: {figure.tried}: {wrong}, {figure.differing} builds differ, {figure.failed} failed",
              *figure.notes, sep="\n  ", flush=True)  # fmt: skip
    if attack.window:
        print(shim, attack.window, flush=True)


def main(words: Sequence[str] | None = None) -> int:
    """Run every attack with every shim, print each figure as it comes, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.adversary", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="fewer rounds, in a few minutes")
    parser.add_argument("--part", type=float, default=1, help="of the kills, built targets and fuzzed files, 1 for all")
    parser.add_argument(
        "--seed", type=int, default=1, help="decides who is killed when, and all else that is by chance"
    )
    parser.add_argument("--only", help="only the attacks that have this text in NAME-SHIM (kills-python)")
    parser.add_argument("--keep", type=Path, help="a folder for the figures, for several runs")
    parser.add_argument("--page", action="store_true", help="run nothing, and replace the page's rows of what is kept")
    options = parser.parse_args(words)
    stop_ignoring_signals()
    bundle.write()
    keep = of_this_version(options.keep)
    quick, seed, part = options.quick, options.seed, options.part
    command = "python -m ci.adversary" + (" --quick" if quick else "") + (f" --part {part:g}" if part != 1 else "")
    command += f" --seed {seed}" if seed != 1 else ""
    attacks: dict[str, Callable[[Path, str], list[Figure]]] = {
        "secrets": lambda folder, shim: secrets.attack(folder, shim, seed=seed),
        "disks": lambda folder, shim: disks.attack(folder, shim, quick=quick),
        "kills": lambda folder, shim: kills.attack(
            folder, shim, rounds=36 if quick else int(1500 * part), seed=seed, keep=keep
        ),
        "nested": lambda folder, shim: sizes.nested(folder, shim, count=60 if quick else 2000),
        "many": lambda folder, shim: sizes.many(folder, shim, count=300 if quick else int(250_000 * part)),
        "written": lambda folder, _: sizes.written(folder, count=20_000 if quick else 250_000),
        "fuzz": lambda *_: _fuzzed(30 if quick else 3600 * part, seed),
    }

    def windowed(folder: Path, shim: str) -> Attack:
        try:
            return Attack(command, [], window.measure(folder, shim, lines=200 if quick else 2000), commit())
        except (OSError, subprocess.CalledProcessError):
            return Attack(command, [], commit=commit())  # there is no compiler

    steps = [(name, shim) for name in attacks for shim in (shims() if name not in _WITHOUT_SHIM else ("",))]
    steps += [("window", shim) for shim in shims()]
    done: dict[tuple[str, str], Attack] = {}
    with tempfile.TemporaryDirectory(prefix="mm-") as root:
        for name, shim in steps:
            found = read(keep, name, shim)
            if found is None and not options.page and (not options.only or options.only in f"{name}-{shim}"):
                folder = Path(root) / f"{name}-{shim}"
                if name == "window":
                    found = windowed(folder, shim)
                else:
                    found = Attack(command, attacks[name](folder, shim), commit=commit())
                kept(keep, name, shim, found)
                _print(found, shim)
            if found:
                done[name, shim] = found
    figures = [figure for attack in done.values() for figure in attack.figures]
    before = published(FIGURES) if options.page else {}
    if options.page or len(done) == len(steps):
        attacked = {step: done.get(step) or before.get(step) for step in dict.fromkeys([*steps, *before])}
        publish(FIGURES, shown := {step: attack for step, attack in attacked.items() if attack})
        PAGE.write_text(page(shown))
    wrong = sum(figure.wrong for figure in figures)
    print(f"{wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
