"""Counts what a recipe line costs in instructions, in this checkout and in earlier commits.

    python -m ci.bench.instructions [--make MAKE] [--out FILE] [COMMIT ...]

Needs valgrind and git. A line's cost has two parts: what make spends on it above a plain line, mostly to put the shim's
words together, and what the compiled launcher spends. Unlike times, instructions are the same on a busy machine. Those
of the kernel are not counted: starting processes is most of a line's time, and all commits do it alike.
Writes Markdown to FILE, or to standard output.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ci.bench import page
from ci.build_launcher import LAUNCHER, ROOT
from make_metrics.hot import procfs

_BEFORE = "532e9c1"
_FEW, _MANY = 20, 100  # lines
_PREREQUISITES = ("src/a.c", "src/b.h", "src/c.h")
_RENDER = (
    "import sys; from pathlib import Path; from make_metrics.files.paths import Paths; "
    "from make_metrics.setup import fragment; home = Path(sys.argv[1]); "
    "paths = Paths(data=home / 'data', config=home / 'config', state=home / 'state'); "
    "paths.data.mkdir(parents=True); paths.fragment.write_text(fragment.render(paths))"
)


def instructions(words: Sequence[str], environ: Mapping[str, str], folder: Path) -> int:
    """The instructions of one process, without its children; raises RuntimeError if it fails."""
    valgrind = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
    done = subprocess.run([*valgrind, *words], cwd=folder, env=environ, capture_output=True, text=True, check=False)
    counted = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not counted:
        raise RuntimeError(f"{words[0]} ended with {done.returncode}: {done.stderr[-1000:]}")
    return int(counted[1])


def rendered(checkout: Path, home: Path) -> Path:
    """The fragment of a checkout, written below `home` as its set-up writes it."""
    environ = {**os.environ, "PYTHONPATH": str(checkout / "shim")}
    subprocess.run([sys.executable, "-c", _RENDER, str(home)], env=environ, check=True)
    return home / "data/metrics.mk"


def of_make(make: str, checkout: Path | None, prerequisites: Sequence[str]) -> int:
    """What make spends on a line: the difference between many and few, divided by their number."""
    with tempfile.TemporaryDirectory() as temporary:
        folder, include = Path(temporary), ""
        home = folder / "home"
        if checkout is not None:
            include = f"-include {rendered(checkout, home)}\n"
        environ = {"PATH": "/usr/bin:/bin", "HOME": str(home), "MAKE_METRICS_HOME": str(home), "LC_ALL": "C.UTF-8"}
        counts = []
        for lines in (_FEW, _MANY):
            names = [f"t{number}" for number in range(lines)]
            rules = [f"{name}: {' '.join(prerequisites)}\n\t@:;\n" for name in names]
            files = f"{' '.join(_PREREQUISITES)}: ;\n"
            (folder / "Makefile").write_text(f"all: {' '.join(names)}\n{''.join(rules)}{files}{include}")
            counts.append(instructions([make], environ, folder))
        return (counts[1] - counts[0]) // (_MANY - _FEW)


def of_launcher(checkout: Path, prerequisites: Sequence[str]) -> int:
    """What the launcher spends on a later line of a make, whose place this process takes."""
    key = (procfs.process_key(os.getpid()) or b"").decode()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        state = folder / "state"
        for path in (state, state / "makes", state / "records"):
            path.mkdir(mode=0o700)
        (state / "makes" / key).write_text(f"{key} {key}")
        handed = "e:"
        if "needs" in (checkout / "shim/make_metrics/hot/arguments.py").read_text():
            handed = f"e:////{'%20'.join(prerequisites)}%3B%3B%3D" if prerequisites else "e:////."
        shim = [sys.executable, "-I", "-S", str(checkout / "shim/make_metrics/entry.py")]
        meta = ["mm1", "t:t1", "g:all", "m:0:4.3:make:f", f"h:{state}", handed]
        environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8", "MAKELEVEL": "1"}
        words = [str(checkout / LAUNCHER), *shim, *meta, "1", "/bin/sh", "-c", ":;"]
        instructions(words, environ, folder)  # it makes the record's file
        return min(instructions(words, environ, folder) for _ in range(3))


def checked_out(commit: str, folder: Path) -> Path:
    """A commit's files in a folder, with its launcher."""
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    environ = {**os.environ, "PYTHONPATH": str(folder / "shim")}
    subprocess.run([sys.executable, "ci/build_launcher.py"], cwd=folder, env=environ, check=True, capture_output=True)
    return folder


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.bench.instructions",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "commits", nargs="*", metavar="COMMIT", help=f"commits to compare with, the oldest first (default: {_BEFORE})"
    )
    parser.add_argument("--make", default="/usr/bin/make", help="the GNU make to use")
    parser.add_argument("--out", type=Path, help="the file to write")
    options = parser.parse_args(arguments)
    shown = " ".join(["python -m ci.bench.instructions", *options.commits])
    commits = options.commits or [_BEFORE]
    version = subprocess.run([options.make, "--version"], capture_output=True, text=True, check=True).stdout
    lines = [
        "# What recording costs in instructions",
        "",
        f"Written by `{shown}`. {version.splitlines()[0]}; SHELL hook, compiled.",
        "",
        "User-mode instructions of one recipe line, counted by valgrind, so that a busy machine changes nothing.",
        "make: above a plain line. In each cell: a target with three prerequisites / without any.",
        f"{_BEFORE} is the last commit before recipe lines and prerequisites were kept.",
        "",
        "| commit | make | launcher | together |",
        "| --- | --: | --: | --: |",
    ]
    needs = (_PREREQUISITES, ())
    plain = [of_make(options.make, None, names) for names in needs]
    with tempfile.TemporaryDirectory() as temporary:
        for commit in (*commits, "this one"):
            checkout = ROOT if commit == "this one" else checked_out(commit, Path(temporary) / commit)
            make = [of_make(options.make, checkout, names) - less for names, less in zip(needs, plain, strict=True)]
            launcher = [of_launcher(checkout, names) for names in needs]
            both = [sum(pair) for pair in zip(make, launcher, strict=True)]
            cells = (" / ".join(f"{count:,}" for count in counts) for counts in (make, launcher, both))
            lines.append(f"| {commit} | {' | '.join(cells)} |")
    text = "\n".join(lines) + "\n"
    page.write(text, options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
