"""Damage every file that we read, run every command, and print what should not be.

    python -m ci.fuzz --seconds 60 --seed 1

Each input has a number, its seed: `--seed 7 --count 1` repeats number 7. Even numbers change bytes of a real file, odd
ones generate its contents. A command must end with 0 or 1, without a traceback; what can be read must not be lost; make
must build as without the include line. Inputs that fail are kept. The exit status is 1 if one did.
"""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ci.fuzz.examine import Examiner
from ci.fuzz.inputs import Input, inputs
from ci.fuzz.sample import Sample
from make_metrics.setup import bundle

_KEPT = Path(tempfile.gettempdir()) / "make-metrics-fuzz"


@dataclass(slots=True)
class Result:
    """What was examined, and what failed: each with a line that says how."""

    inputs: int = 0
    commands: int = 0
    makes: int = 0
    failures: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)

    def add(self, other: Result) -> None:
        """Add another's."""
        self.inputs += other.inputs
        self.commands += other.commands
        self.makes += other.makes
        self.failures += other.failures
        self.kinds |= other.kinds


def fuzz(*, seed: int, seconds: float = 60, count: int | None = None, step: int = 1, keep: Path = _KEPT) -> Result:
    """Examine the inputs of every `step`-th number from `seed` on, for a time or for a count of numbers."""
    bundle.write()
    result, until = Result(), time.monotonic() + seconds
    with tempfile.TemporaryDirectory(prefix="mm-") as folder:
        sample = Sample(Path(folder) / "sample")
        files = {name: (sample.kept / name).read_bytes() for name in sample.files()}
        examiner = Examiner(sample)
        while (count is None and time.monotonic() < until) or (count is not None and count > 0):
            for given in inputs(seed, files):
                result.inputs += 1
                result.kinds.add(str(given.name))
                if problems := examiner.examine(given):
                    result.failures.append(keep_input(given, problems, keep))
            seed += step
            if count is not None:
                count -= 1
    result.commands, result.makes = examiner.commands, examiner.makes
    return result


def keep_input(given: Input, problems: Sequence[str], folder: Path) -> str:
    """Keep an input that failed, and print it; the text that was printed."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{given.seed}-{zlib.crc32(given.content):08x}-{given.name.name}"
    path.write_bytes(given.content)
    text = f"## seed {given.seed}: {given.name} ({given.how}), kept as {path}\n" + "\n".join(problems)
    print(text, flush=True)
    return text


def _work(words: tuple[int, float, int | None, int, Path]) -> Result:
    seed, seconds, count, step, keep = words
    return fuzz(seed=seed, seconds=seconds, count=count, step=step, keep=keep)


def main(words: Sequence[str] | None = None) -> int:
    """Print what fails and how much was examined."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60, help="how long to go on")
    parser.add_argument("--count", type=int, help="how many numbers, in place of a time")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the first number")
    parser.add_argument("--jobs", type=int, default=1, help="how many processes")
    parser.add_argument("--keep", type=Path, default=_KEPT, help="the folder for inputs that fail")
    options = parser.parse_args(words)
    shutil.rmtree(options.keep, ignore_errors=True)
    tasks = [
        (options.seed + number, options.seconds, options.count, options.jobs, options.keep)
        for number in range(options.jobs)
    ]
    total = Result()
    if options.jobs == 1:
        total = _work(tasks[0])
    else:
        with multiprocessing.Pool(options.jobs) as pool:
            for result in pool.imap_unordered(_work, tasks):
                total.add(result)
    print(f"{total.inputs} inputs from seed {options.seed} on, for {len(total.kinds)} files: {total.commands} commands "
          f"and {total.makes} makes, {len(total.failures)} failed")  # fmt: skip
    return 1 if total.failures else 0


if __name__ == "__main__":
    sys.exit(main())
