"""What is recorded of a Makefile, what is not and why, and what would have to change: from what make found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set
from pathlib import Path

from make_metrics.dataclass import dataclass, field
from make_metrics.setup.makefile_reading import LIMIT_S, Reading, Target, plain_shells

_MOST_PREREQUISITES, _MOST_CHARACTERS = 1_500, 64_000  # as in section 10 of the fragment
_SHELLS = "sh, dash, ash, ksh or bash, with no options but those of set (-e, -u, -x, -o pipefail) and bash's -O"
_VERSIONS = "3.81, 4.0 to 4.4"
_MEASURED = re.compile(r"3\.81|4\.[01]|4\.[234](\.[^+]*)?")  # as in section 8 of the fragment


@dataclass(frozen=True, slots=True)
class Left:
    """A target whose lines make itself runs, unmeasured; why, and what would have to change."""

    target: str
    reason: str
    change: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the fragment does in a Makefile.

    `hook` is `shell`, `flags`, or empty if nothing is recorded; `why` says why it is that one. `change` is what would
    have to change so that something is recorded; empty if that is so already. `left` are the targets left to make.
    """

    hook: str
    why: str
    change: str = ""
    left: list[Left] = field(default_factory=list)


def verdict_of(makefile: Path, reading: Reading, *, limit_s: float = LIMIT_S) -> Verdict:
    """The verdict about a Makefile that includes the fragment, where recording is not off.

    Asks make about the values of SHELL that targets have for themselves. Raises UserError as `read_makefile`.
    """
    shown_by = reading.values["show SHELL"].split()
    users = [name for name in reading.files if name in shown_by]
    shells = _shells_of_targets(reading)
    return _judge(reading, users, plain_shells(makefile, shells, limit_s=limit_s) if shells else frozenset())


def _judge(reading: Reading, users: list[str], measured_shells: Set[str]) -> Verdict:
    """The verdict, if `users` are the makefiles that may use SHELL.

    `measured_shells` are the target-specific values of SHELL whose lines the flags hook measures.
    """
    values = reading.values
    hook = values["hook"]
    if not hook:
        why, change = _why_no_hook(reading)
        return Verdict("", why, change)
    why = _why_this_hook(reading, users)
    obstacle = _obstacle(reading, users)
    if obstacle:
        return Verdict("", *obstacle)
    return Verdict(hook, why, left=list(_left(reading, measured_shells)))


def _shells_of_targets(reading: Reading) -> list[str]:
    """The values of SHELL that targets and patterns set for themselves."""
    tables = [*(target.variables for target in reading.targets.values()), *reading.patterns.values()]
    return list(dict.fromkeys(table["SHELL"] for table in tables if "SHELL" in table))


def is_measured(version: str) -> bool:
    """Whether makes of this version are measured: `4.3` is one, remake's `4.3+dbg` is not."""
    return _MEASURED.fullmatch(version) is not None


def matches(pattern: str, name: str) -> bool:
    """Whether a name fits a pattern of make, with at most one "%" that counts."""
    before, percent, after = pattern.partition("%")
    if not percent:
        return name == pattern
    return len(name) >= len(before) + len(after) and name.startswith(before) and name.endswith(after)


def _why_no_hook(reading: Reading) -> tuple[str, str]:
    values = reading.values
    if values["hides"]:
        return (
            f"a makefile sets {' and '.join(values['hides'].split())}, and a line needs make's own value",
            "leave it to make",
        )
    if not values["ready"]:
        return "the interpreter or the shim that the fragment names is gone", "run make-metrics setup"
    version = values["version"]
    if not is_measured(version):
        return f"GNU make {version} is not among the versions that are measured ({_VERSIONS})", "use one of those"
    if version == "3.81":
        return f"SHELL comes from the {values['origin of SHELL']}, and make 3.81 has no other hook", "leave SHELL alone"
    return (
        "with .POSIX and the default flags make 4.4 chooses -c or -ec line by line, which our flags would end",
        "set .SHELLFLAGS (such as .SHELLFLAGS := -ec) before the include line",
    )


def _why_this_hook(reading: Reading, users: list[str]) -> str:
    values = reading.values
    if values["hook"] == "shell":
        return "no makefile uses SHELL other than to set it, so no target can see the shim there"
    if values["version"] in ("4.0", "4.1"):
        return f"make {values['version']} cannot look whether a makefile uses SHELL"
    if values["oneshell"]:
        return "METRICS_ONESHELL is set"
    if users:
        return f"{', '.join(users)} use{'s' * (len(users) == 1)} SHELL, and a target could see the shim there"
    if values["origin of SHELL"] not in ("default", "file"):
        return f"SHELL comes from the {values['origin of SHELL']}"
    if values["mentioned"]:
        return "the command line mentions SHELL"
    return f"SHELL is {values['shell']}"


def _obstacle(reading: Reading, users: list[str]) -> tuple[str, str] | None:
    """Why the hook measures no line at all, and what to change; None if it measures lines."""
    values = reading.values
    if values["hook"] == "shell":
        if values["later"]:
            files = ", ".join(users) or "a makefile"
            return f"{files}, read after the include line, uses SHELL", "make the include line the last line"
        if not values["SHELL is ours"]:
            return "SHELL is set after the include line", "make the include line the last line"
        if values["odd"]:
            return (
                f"SHELL is {values['shell'] or 'empty'}, with a character that make could take for its own",
                "change it",
            )
        return None
    if not values[".SHELLFLAGS is ours"]:
        return ".SHELLFLAGS is set after the include line", "make the include line the last line"
    if values["plain"]:
        return None
    if values["impure"]:
        return (
            "SHELL has a value that may print or do something each time it is expanded",
            "use := for it, or functions that only compute",
        )
    shell = values["shell"] or "empty"
    for name in ("BASH_ENV", "SHELLOPTS"):
        if values[name] and "bash" in shell + name.lower():
            return f"{name} is set, which the shell ({shell}) reads at each start", f"unset {name}"
    if values["warns"] and "bash" in shell:
        return (
            "LC_ALL names a locale that is not installed, and bash says so at each start",
            "set LC_ALL to one that is",
        )
    return f"SHELL is {shell}, and its lines are not measured", f"use {_SHELLS}"


def _left(reading: Reading, measured_shells: Set[str]) -> Iterator[Left]:
    skipped = reading.values["skip"].split()
    for name, target in sorted(reading.targets.items()):
        if not target.has_recipe:
            continue
        if any(matches(pattern, name) for pattern in skipped):
            yield Left(name, "METRICS_SKIP names it", "take it out of METRICS_SKIP")
        elif _may_be_long(target, reading):
            reason = f"it has {target.prerequisites} prerequisites: its lines may be too long for a shim"
            yield Left(name, reason, f"give it fewer than {_MOST_PREREQUISITES}, or shorter names")
        else:
            yield from _left_for_its_variables(name, target, reading, measured_shells)


def _may_be_long(target: Target, reading: Reading) -> bool:
    """Whether make may run a line that is too long for a shell: it runs simple lines itself if SHELL is /bin/sh."""
    shell = target.variables.get("SHELL", reading.values["shell"])
    many = target.prerequisites >= _MOST_PREREQUISITES and target.characters > _MOST_CHARACTERS
    return many and shell == "/bin/sh"


def _left_for_its_variables(name: str, target: Target, reading: Reading, measured_shells: Set[str]) -> Iterator[Left]:
    variables = dict(target.variables)
    for pattern, values in reading.patterns.items():
        if matches(pattern, name):
            variables = {**values, **variables}
    shell = variables.get("SHELL")
    if shell is not None and reading.values["hook"] == "shell":
        yield Left(name, "it has a SHELL of its own", "use the Makefile's SHELL for it")
    elif shell is not None and shell not in measured_shells:
        yield Left(name, f"its SHELL is {shell}, and its lines are not measured", f"use {_SHELLS}")
    elif ".SHELLFLAGS" in variables and reading.values["hook"] == "flags":
        yield Left(name, "it has .SHELLFLAGS of its own", "use the Makefile's .SHELLFLAGS for it")
    elif "LD_PRELOAD" in variables and reading.values["hook"] == "flags":
        yield Left(name, "it has LD_PRELOAD of its own", "set LD_PRELOAD in its lines")
