"""What make itself finds in a Makefile, and what the fragment decided there.

make reads the Makefile, then a file of ours that prints the values we ask for and ends make with an error. So make
remakes no included file and runs no recipe line, not even one that `make -n` runs (with "+" or $(MAKE)). It runs what
every reading of that Makefile runs: its $(shell ...). At its end make prints its database (-p), which has the targets.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from make_metrics.dataclass import dataclass, field
from make_metrics.errors import UserError
from make_metrics.files.paths import printable_path
from make_metrics.setup.makefile import endless_includes

LIMIT_S = 60
# What is asked for, by the name that `Reading.values` has it under. All are expanded when all makefiles are read.
_QUESTIONS = {
    "version": "$(MAKE_VERSION)",
    "files": "$(MAKEFILE_LIST)",
    "default goal": "$(value .DEFAULT_GOAL)",
    "features": "$(.FEATURES)",
    "included": "$(value .metrics.included)",
    "fragment": "$(value .metrics.self)",
    "inert": "$(value .metrics.inert)",
    "ready": "$(value .metrics.ready)",
    "hides": "$(strip $(foreach .metrics.word,MAKE_VERSION MAKELEVEL,$(if $(filter-out default environment command,"
    "$(firstword $(origin $(.metrics.word)))),$(.metrics.word))))",
    "hook": "$(value .metrics.hook)",
    "mentioned": "$(value .metrics.mentioned)",
    "show SHELL": "$(if $(value .metrics.show),$(foreach .metrics.word,$(MAKEFILE_LIST),"
    "$(if $(call .metrics.show,$(.metrics.word)),$(.metrics.word))))",
    "later": "$(if $(value .metrics.later),$(.metrics.later))",
    "plain": "$(if $(value .metrics.plain),$(.metrics.plain))",
    "odd": "$(if $(value .metrics.odd),$(call .metrics.odd,$(SHELL)))",
    "oneshell": "$(value METRICS_ONESHELL)",
    "skip": "$(METRICS_SKIP)",
    "shell": "$(SHELL)",
    "origin of SHELL": "$(origin SHELL)",
    "origin of .SHELLFLAGS": "$(origin .SHELLFLAGS)",
    "SHELL is ours": "$(findstring .metrics.,$(value SHELL))",
    ".SHELLFLAGS is ours": "$(findstring .metrics.,$(value .SHELLFLAGS))",
    "BASH_ENV": "$(value BASH_ENV)",
    "SHELLOPTS": "$(value SHELLOPTS)",
    "warns": "$(if $(value .metrics.warns),$(.metrics.warns))",
    "impure": "$(if $(value .metrics.impure),$(call .metrics.impure,$(value SHELL)))",
}
_ORIGINS = r"# (?:makefile|default|automatic|environment|command line|['`]override)"
_VARIABLE = re.compile(r"(.*?): ((?:override )?)(\S+) (\+=|\?=|::?:?=|=|!=) ?(.*)")
_PATTERN = re.compile(r"^([^#\t\n]*%[^\n]*) :\n# [^\n]*\n# (\S+) (?:\+=|\?=|::?:?=|=|!=) ?([^\n]*)$", re.MULTILINE)
_TARGET = re.compile(r"([^#\t].*?)(::?)(?: (.*))?")


@dataclass(slots=True)
class Target:
    """A target that a rule of the Makefile names.

    `has_recipe` is whether that rule has a recipe, `prerequisites` their number, `characters` how long their names are
    together, with a blank behind each; `variables` the values of its target-specific variables by name, unexpanded.
    """

    has_recipe: bool = False
    prerequisites: int = 0
    characters: int = 0
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Reading:
    """What make found.

    `make` is its path. `stopped` is make's message if an error in the Makefile kept it from reading on (then `values`
    is empty), else empty. `targets` are by name; `patterns` holds pattern-specific variables, by pattern.
    """

    make: str
    stopped: str = ""
    values: dict[str, str] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)
    patterns: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def files(self) -> list[str]:
        """The makefiles that make read, but for the fragment; relative to the directory."""
        return self.values.get("files", "").split()


def read_makefile(makefile: Path, goal: str = "", *, limit_s: float = LIMIT_S) -> Reading:
    """Let make read a Makefile for a goal, the empty name being the default goal.

    Raises UserError if there is no make, or make does not end within `limit_s` seconds, or would never: then make is
    not started.
    """
    make = _make()
    with contextlib.suppress(OSError):
        if pipes := endless_includes(makefile):
            raise UserError(
                f"make waits for {printable_path(pipes[0])}, which {printable_path(makefile)} includes, and which is "
                "no file: move it away"
            )
    mark = secrets.token_hex(8)
    questions = [f"$(info {mark} {name}={text})" for name, text in _QUESTIONS.items()]
    output, errors = _run(make, makefile, goal, [*questions, f"$(error {mark})"], limit_s)
    values = dict(
        line.removeprefix(f"{mark} ").split("=", 1) for line in output.splitlines() if line.startswith(f"{mark} ")
    )
    if len(values) < len(_QUESTIONS):
        return Reading(make, stopped=_message(errors))
    reading = Reading(make, values=values)
    _read_database(reading, output.rpartition("\n# Files\n")[2], output)
    reading.targets.pop(values["fragment"], None)
    return reading


def plain_shells(makefile: Path, shells: list[str], *, limit_s: float = LIMIT_S) -> set[str]:
    """Those of these values of SHELL that the flags hook measures lines of. Raises UserError as `read_makefile`."""
    mark = secrets.token_hex(8)
    lines = []
    for number, shell in enumerate(shells):
        lines += [f"override SHELL = {shell}", f"$(if $(.metrics.plain),$(info {mark} {number}))"]
    output, _ = _run(_make(), makefile, "", [*lines, f"$(error {mark})"], limit_s)
    return {shells[int(line.split()[1])] for line in output.splitlines() if line.startswith(f"{mark} ")}


def _make() -> str:
    make = shutil.which("make") or shutil.which("gmake")
    if make is None:
        raise UserError("there is no make on PATH: install GNU make")
    return make


def _run(make: str, makefile: Path, goal: str, lines: list[str], limit_s: float) -> tuple[str, str]:
    """The output and the errors of a make that reads a Makefile and then these lines, the last of which ends it."""
    environ = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    environ["LANGUAGE"] = "en"  # the words of the database; LC_ALL, which decides about the hook, stays as it is
    with tempfile.TemporaryDirectory(prefix="make-metrics-") as folder:
        probe = Path(folder) / "probe.mk"
        # Not one of the project's makefiles, which the fragment looks through for SHELL.
        text = ["MAKEFILE_LIST := $(filter-out $(lastword $(MAKEFILE_LIST)),$(MAKEFILE_LIST))", *lines]
        probe.write_text("".join(f"{line}\n" for line in text), encoding="utf-8", errors="surrogateescape")
        words = [make, "-p", "-f", makefile.name, "-f", str(probe), *(["--", goal] if goal else [])]
        process = subprocess.Popen(
            words, cwd=makefile.parent, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, start_new_session=True, encoding="utf-8", errors="surrogateescape",
        )  # fmt: skip
        try:
            return process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            raise UserError(
                f"make has not read {printable_path(makefile)} within {limit_s:g} seconds: does it wait for a pipe, or "
                "for a program in a $(shell ...)?"
            ) from None
        finally:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)  # also what a $(shell ...) has left behind
            process.wait()


def _message(errors: str) -> str:
    lines = [line for line in errors.splitlines() if "***" in line] or errors.splitlines() or ["make said nothing"]
    return lines[-1].strip()


def _read_database(reading: Reading, files: str, output: str) -> None:
    """Take the targets from the section "# Files" of make's database, and pattern-specific variables from theirs."""
    is_target, is_variable, target = True, False, Target()
    for line in files.splitlines():
        if line.startswith("\t") and line.strip():
            target.has_recipe = True
        elif line.startswith("#"):
            is_target = is_target and not line.startswith("# Not a target")
            is_variable = bool(re.match(_ORIGINS, line))
            if line.startswith("#  Builtin rule"):
                target = Target()  # make's own, which nothing refers to
        elif not line.strip():
            is_target, is_variable = True, False
        elif is_variable and (match := _VARIABLE.fullmatch(line)):
            reading.targets.setdefault(match[1], Target()).variables[match[3]] = match[5]
            is_variable = False
        elif match := _TARGET.fullmatch(line):
            target = Target()
            if is_target and not re.fullmatch(r"\.[A-Z_]+|\.[^/]*", match[1]):
                target = reading.targets.setdefault(match[1], target)
                names = (match[3] or "").split()
                target.prerequisites += len(names)
                target.characters += sum(len(os.fsencode(name)) + 1 for name in names)
    for pattern, name, value in _PATTERN.findall(output.rpartition("\n# Files\n")[0]):
        reading.patterns.setdefault(pattern, {})[name] = value
