"""Counts what make computes when it reads the fragment and then has nothing to do.

    python -m ci.bench.reading [--make MAKE] [--out FILE] [COMMIT ...]

Needs valgrind; for commits to compare with also git. Unlike times, instructions are the same on a busy machine; those
of the kernel are not counted. Writes Markdown to FILE, or to standard output.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from ci.bench import page
from ci.bench.instructions import checked_out, instructions, rendered
from ci.build_launcher import ROOT

GOAL = 0.01  # of what plain make computes
GOAL_AT_LEAST = 1_200_000  # instructions: about 0.3 ms


def nothing_to_do(_: Path) -> str:
    """A makefile with one target that has no recipe."""
    return "all: ;\n"


def own_shell(_: Path) -> str:
    """The same with what half of all makefiles say: another shell, and a help target that reads the makefiles."""
    help_target = "help: ## this text\n\t@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST)\n"
    return f"SHELL := /bin/bash\n.SHELLFLAGS := -eu -o pipefail -c\nall: ;\n{help_target}"


def uses_shell(_: Path) -> str:
    """A makefile that has to get the flags hook."""
    return "all: ;\nscript: ; $(SHELL) script.sh\n"


def targets(_: Path) -> str:
    """A makefile with 2,000 targets, none of which has to be made."""
    names = [f"target{number}" for number in range(2000)]
    return f"all: {' '.join(names)} ;\n" + "".join(f"{name}: ;\n" for name in names)


def included(folder: Path) -> str:
    """A makefile that includes 300 files of 20 KB, as compilers write them for what a file depends on."""
    for number in range(300):
        headers = " \\\n ".join(f"include/part{number}/header{header}.h" for header in range(500))
        (folder / f"object{number}.d").write_text(f"object{number}.o: source{number}.c \\\n {headers}\n")
    return "all: ;\ninclude $(wildcard *.d)\n"


def large(_: Path) -> str:
    """A makefile of 5 MB: variables, rules and recipes."""
    part = (
        "FLAGS_{0} := -O2 -g -DNUMBER={0} -Ipart{0}/include\n"
        "out/{0}.o: part{0}/source.c\n\t$(CC) $(FLAGS_{0}) -c -o $@ $<\n"
    )
    return "all: ;\n" + "".join(part.format(number) for number in range(44_000))


MAKEFILES: dict[str, Callable[[Path], str]] = {
    "nothing to do": nothing_to_do,
    "another shell, and help": own_shell,
    "a use of SHELL": uses_shell,
    "2,000 targets": targets,
    "300 included files": included,
    "one of 5 MB": large,
}


def of(make: str, makefile: Callable[[Path], str], checkout: Path | None) -> int:
    """The instructions of a make of this makefile, with the fragment of the checkout or without."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        text, home = makefile(folder), folder / "home"
        if checkout is not None:
            text += f"-include {rendered(checkout, home)}\n"
        (folder / "Makefile").write_text(text)
        environ = {"PATH": "/usr/bin:/bin", "HOME": str(home), "MAKE_METRICS_HOME": str(home), "LC_ALL": "C.UTF-8"}
        return instructions([make], environ, folder)


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.bench.reading", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("commits", nargs="*", metavar="COMMIT", help="commits to compare with, the oldest first")
    parser.add_argument("--make", default="/usr/bin/make", help="the GNU make to use")
    parser.add_argument("--out", type=Path, help="the file to write")
    options = parser.parse_args(arguments)
    shown = " ".join(["python -m ci.bench.reading", *options.commits])
    version = subprocess.run([options.make, "--version"], capture_output=True, text=True, check=True).stdout
    columns = [*options.commits, "this one"]
    lines = [
        "# What reading the fragment costs",
        "",
        f"Written by `{shown}`. {version.splitlines()[0]}, in millions of user-mode instructions, counted by",
        "valgrind, so that a busy machine changes nothing. A million is about 0.25 ms. The goal is one in a hundred",
        f"of what plain make computes, or {GOAL_AT_LEAST / 1e6} million.",
        "",
        f"| makefile | plain make | goal | {' | '.join(f'added, {name}' for name in columns)} |",
        f"| --- | --: | --: |{' --: |' * len(columns)}",
    ]
    with tempfile.TemporaryDirectory() as temporary:
        checkouts = [checked_out(commit, Path(temporary) / commit) for commit in options.commits]
        for name, makefile in MAKEFILES.items():
            plain = of(options.make, makefile, None)
            added = [of(options.make, makefile, checkout) - plain for checkout in (*checkouts, ROOT)]
            goal = max(plain * GOAL, GOAL_AT_LEAST)
            cells = [f"{count / 1e6:.2f} ({count / plain:.1%})" for count in added]
            lines.append(f"| {name} | {plain / 1e6:.1f} | {goal / 1e6:.1f} | {' | '.join(cells)} |")
    text = "\n".join(lines) + "\n"
    page.write(text, options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
