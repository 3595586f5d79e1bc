"""Says which hook the makefiles of real projects get, and why.

    python -m ci.hook_share FOLDER [--make PATH]

FOLDER holds checkouts, each in a folder of its own (OWNER+NAME or NAME). Nothing of a checkout is run: its makefile and
those that it includes by a plain name are handed to the fragment as make's list of makefiles, with the SHELL that they
give, and the fragment decides. Prints a table of Markdown for docs/hooks.md, and the share of SHELL hooks.

An include whose name make would have to compute is not followed; the table counts them.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from make_metrics.files.paths import Paths
from make_metrics.setup import bundle, fragment

_NAMES = ("GNUmakefile", "makefile", "Makefile")  # in make's order
_INCLUDE = re.compile(r"^[ ]*[-s]?include[ \t]+(.+)$", re.MULTILINE)
_ASSIGNMENT = re.compile(
    r"^[ \t]*(?:(?:export|override) )*([\w.-]+)[ \t]*[:?]{0,3}=[ \t]*([^#$\n]*?)[ \t]*$", re.MULTILINE
)
_SHELL = re.compile(r"^[ ]*SHELL[ \t]*((?:::?|\?)?=)[ \t]*(.*?)[ \t]*$", re.MULTILINE)
_REFERENCE = re.compile(r"\$[({]([\w.-]+)[)}]")


@dataclass(frozen=True)
class Answer:
    """The hook of a checkout's makefile, why, and how many makefiles were looked at and how many includes were not."""

    name: str
    makefile: str
    hook: str
    reason: str
    files: int
    unknown: int


def makefile_of(checkout: Path) -> Path | None:
    """The makefile that make would take in the highest folder that has one."""
    for depth in range(4):
        for name in _NAMES:
            for path in sorted(checkout.glob("*/" * depth + name)):
                if path.is_file():
                    return path
    return None


def closure(main: Path) -> tuple[list[Path], int]:
    """A makefile and those that it includes by names which can be read off; the number of the other includes."""
    files, waiting, unknown = [], [main], 0
    variables: dict[str, str] = {"CURDIR": str(main.parent), "srctree": str(main.parent)}
    while waiting:
        file = waiting.pop(0)
        if file in files or not file.is_file():
            continue
        files.append(file)
        text = file.read_text(errors="replace").replace("\\\n", " ")
        for name, value in _ASSIGNMENT.findall(text):
            variables.setdefault(name, value)
        for words in _INCLUDE.findall(text):
            for word in _expanded(words.partition("#")[0], variables).split():
                if "$" in word:
                    unknown += 1
                else:
                    waiting += sorted(Path(path) for path in _matches(main.parent, word))
    return files, unknown


def _expanded(text: str, variables: Mapping[str, str]) -> str:
    for _ in range(5):
        text = _REFERENCE.sub(lambda match: variables.get(match[1], match[0]), text)
    return text


def _matches(folder: Path, pattern: str) -> Iterator[str]:
    if not pattern.startswith("/"):
        yield from (str(path) for path in folder.glob(os.path.normpath(pattern)))
    elif pattern.startswith(str(folder)):
        yield pattern


def shell_line(files: list[Path]) -> str:
    """The line that gives SHELL its value for the fragment; empty without one. What make would compute is /bin/bash."""
    for file in files:
        for operator, value in _SHELL.findall(file.read_text(errors="replace")):
            computed = "$" in value and operator != "="
            return f"SHELL {operator} {'/bin/bash' if computed else value}\n"
    return ""


def reason_of(hook: str, files: list[Path], showing: list[str]) -> str:
    """Why the fragment has chosen this hook, in a few words."""
    text = "\n".join(file.read_text(errors="replace") for file in files)
    if hook == "shell":
        if shell_line(files):
            return "sets SHELL"
        return "SHELL in other names or comments" if "SHELL" in text.replace(".SHELLFLAGS", "") else "no SHELL"
    for words, pattern in (
        (".ONESHELL", r"ONESHELL"),
        ("uses $(SHELL)", r"\$[({](?:value |origin )?SHELL\b"),
        ("exports SHELL", r"^[ \t]*(?:export[ \t]+SHELL|(?:override[ ]+)?export[ \t]*$)"),
        ("SHELL for a target", r"^[^\t#\n][^#\n]*:[ \t]*(?:export[ ]+)?SHELL\b"),
        ("uses .VARIABLES", r"\.VARIABLES"),
    ):
        if re.search(pattern, text, re.MULTILINE):
            return words
    return f"cannot be told in {', '.join(showing)}" if showing else "SHELL's value"


def ask(checkout: Path, make: str, given: Path) -> Answer | None:
    """The answer of the fragment `given` about a checkout; None if it has no makefile."""
    main = makefile_of(checkout)
    if main is None:
        return None
    files, unknown = closure(main)
    names = [os.path.relpath(file, main.parent) for file in files]
    with tempfile.NamedTemporaryFile("w", suffix=".mk") as probe:
        show = "$(foreach .metrics.word,$(MAKEFILE_LIST),$(if $(call .metrics.show,$(.metrics.word)),$(.metrics.word)))"
        probe.write(f"MAKEFILE_LIST := {' '.join(names)}\n{shell_line(files)}include {given}\n")
        probe.write(f"$(info hook $(.metrics.hook))\n$(info shows {show})\nall: ;\n")
        probe.flush()
        done = subprocess.run([make, "-s", "-f", probe.name, "all"], cwd=main.parent, capture_output=True, text=True,
                              check=True, env={"PATH": os.environ["PATH"], "HOME": "/nowhere"})  # fmt: skip
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines()[:2])
    hook = said["hook"]
    reason = reason_of(hook, files, said["shows"].split())
    name = checkout.name.replace("+", "/")
    return Answer(name, str(main.relative_to(checkout)), hook, reason, len(files), unknown)


def answers(folder: Path, make: str) -> list[Answer]:
    """The answers about all checkouts in a folder that have a makefile, by name."""
    with tempfile.TemporaryDirectory(prefix="make-metrics-hooks-") as home:
        bundle.write()
        data = Path(home) / "data"
        data.mkdir()
        paths = Paths(data=data, config=Path(home) / "config", state=Path(home) / "state")
        paths.fragment.write_text(fragment.render(paths))
        found = (ask(path, make, paths.fragment) for path in sorted(folder.iterdir()) if path.is_dir())
        return [answer for answer in found if answer]


def table(found: list[Answer]) -> str:
    """The answers as a table of Markdown, and the share below it."""
    lines = ["| project | makefile | files | not followed | hook | why |", "| --- | --- | --: | --: | --- | --- |"]
    lines += [
        f"| {one.name} | {one.makefile} | {one.files} | {one.unknown} | {one.hook} | {one.reason} |" for one in found
    ]
    count = sum(one.hook == "shell" for one in found)
    return "\n".join([*lines, "", f"{count} of {len(found)} have the SHELL hook ({100 * count // len(found)}%).", ""])


def main() -> int:
    """Ask, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.hook_share", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="the folder with the checkouts")
    parser.add_argument("--make", default=shutil.which("make"), help="the make that decides")
    options = parser.parse_args()
    found = answers(options.folder, options.make)
    if not found:
        sys.stderr.write(f"no folder in {options.folder} has a makefile\n")
        return 1
    sys.stdout.write(table(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
