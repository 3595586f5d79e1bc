"""What `make-metrics doctor` says about a Makefile: the line, the hook, what is left to make, and the last run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from make_metrics.combine.event import timestamp
from make_metrics.combine.summary import Summary
from make_metrics.commands.finding import BAD, NOTE, OK, Finding
from make_metrics.commands.project import combine_records, opened_store
from make_metrics.consent.mode import through_sudo
from make_metrics.dataclass import asdict, dataclass, field
from make_metrics.errors import UserError, did_you_mean
from make_metrics.files.paths import Paths, printable_path
from make_metrics.printable import printable
from make_metrics.report.local_time import local_time
from make_metrics.setup import makefile
from make_metrics.setup.makefile_reading import Reading, read_makefile
from make_metrics.setup.makefile_verdict import Left, Verdict, is_measured, verdict_of
from make_metrics.store.questions.unseen_goals import unseen_goals

_SHOWN_TARGETS = 10
_SWEEP_S = 10
_VERSION_S = 5
_ADD = "make-metrics setup --add adds it"


@dataclass(slots=True)
class Examined:
    """A Makefile as doctor examined it: its findings, and the same for programs."""

    findings: list[Finding] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)

    def say(self, result: str, subject: str, text: str, change: str = "") -> None:
        """Add a finding; `change` is what would have to change."""
        self.findings.append(
            Finding(result, subject, printable(f"{text}: {change}" if change else text), printable(change))
        )


def examine_makefile(directory: Path, target: str) -> Examined:
    """Have make read the Makefile of a directory: what is recorded of it, and of one target if it is not empty."""
    examined = Examined()
    try:
        path = makefile.find_makefile("", directory)
    except UserError:
        names = ", ".join(makefile.NAMES)
        text = f"there is none in {printable_path(directory.resolve())} ({names}); doctor -C DIR looks elsewhere"
        examined.say(BAD if target else NOTE, "Makefile", text)
        return examined
    examined.document = {"path": str(path.resolve()), "line": _has_line(path)}
    try:
        reading = read_makefile(path, "" if "=" in target else target)
    except UserError as error:
        examined.say(BAD, "Makefile", str(error))
        return examined
    examined.document |= {"make": reading.make, "stopped": reading.stopped or None}
    if reading.stopped:
        examined.say(BAD, "Makefile", f"{printable_path(path)}: make stops while it reads it: {reading.stopped}")
        return examined
    lines = [name for name in reading.files if _has_line(directory / name)]
    values = reading.values
    examined.document |= {
        "make_version": values["version"], "files": reading.files, "line": bool(lines or values["included"]),
        "included": bool(values["included"]),
    }  # fmt: skip
    if not values["included"]:
        _say_not_included(examined, path, lines)
        return examined
    shown = ", ".join(lines) or path.name
    examined.say(OK, "Makefile", f"{shown} includes {values['fragment']} (GNU make {values['version']})")
    if values["inert"]:
        examined.say(NOTE, "hook", "none: recording is off")
        return examined
    _say_remake(examined, reading.make)
    verdict = verdict_of(path, reading)
    _say_verdict(examined, verdict)
    if verdict.hook:
        _say_targets(examined, reading, verdict)
    if target:
        _say_target(examined, reading, verdict, target)
    return examined


def examine_last_run(paths: Paths, directory: Path, examined: Examined) -> None:
    """Add when make was last recorded in a directory or below it; problems of the store are doctor's own findings."""
    if through_sudo(os.environ, root=not os.geteuid()):
        return
    here = str(directory.resolve())
    try:
        combine_records(paths, timeout_s=_SWEEP_S)
        with opened_store(paths) as store:
            runs = store.runs(newest=1, within=here)
            unseen = unseen_goals(store.connection, [run.id for run in runs])
    except UserError:
        return
    last = runs[-1] if runs else None
    examined.document["last_run"] = _run_document(last) if last else None
    if last is None:
        examined.say(NOTE, "last run", f"none was recorded in {here}")
        return
    goals = " ".join(last.goals)
    targets = f"{last.targets} target{'s' * (last.targets != 1)}"
    missing = f"nothing ran for {' '.join(unseen.get(last.id, ()))}, so its status is unknown"
    status = missing if last.id in unseen else f"status {last.exit_status}" if last.exit_status else "no recipe failed"
    examined.say(OK, "last run", f"{local_time(last.started_ns)}: make {goals}, {targets}, {status}")


def _run_document(run: Summary) -> dict[str, Any]:
    fields = asdict(run)
    fields["start_time"] = timestamp(fields.pop("started_ns"))
    return fields


def _has_line(path: Path) -> bool:
    try:
        return makefile.has_line(path.read_bytes())
    except OSError:
        return False


def _say_not_included(examined: Examined, path: Path, lines: list[str]) -> None:
    name = printable_path(path)
    if lines:
        text = f"{', '.join(lines)} has the include line, but make finds no fragment there"
        examined.say(BAD, "Makefile", text, "make-metrics setup writes it")
    else:
        examined.say(BAD, "Makefile", f"{name} has no include line, so nothing of it is recorded", _ADD)


def _say_verdict(examined: Examined, verdict: Verdict) -> None:
    examined.document |= {"hook": verdict.hook or None, "why": verdict.why, "change": verdict.change or None}
    if verdict.hook:
        examined.say(OK, "hook", f"{verdict.hook}: {verdict.why}")
    else:
        examined.say(BAD, "hook", f"nothing is recorded: {verdict.why}", verdict.change)


def _say_remake(examined: Examined, make: str) -> None:
    """Say that a remake (make with a debugger) on PATH records nothing, unless it is the make that was run."""
    remake = shutil.which("remake")
    if remake is None or os.path.realpath(remake) == os.path.realpath(make):
        return
    try:
        done = subprocess.run(
            [remake, "--version"],
            input="",
            capture_output=True,
            text=True,
            timeout=_VERSION_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return
    match = re.match(r"GNU Make (\S+)", done.stdout)
    if match and not is_measured(match[1]):
        text = f"{remake} calls itself {match[1]}, and is left alone: what it builds is not recorded"
        examined.say(NOTE, "remake", text, "use make for what you want recorded")


def _say_targets(examined: Examined, reading: Reading, verdict: Verdict) -> None:
    recipes = [name for name, target in reading.targets.items() if target.has_recipe]
    examined.document |= {"targets": len(recipes), "left": [asdict(left) for left in verdict.left]}
    if recipes and len(verdict.left) == len(recipes):
        examined.say(BAD, "targets", f"all {len(recipes)} are left to make, and nothing is recorded")
    else:
        measured = len(recipes) - len(verdict.left)
        examined.say(OK, "targets", f"{measured} of {len(recipes)} with a recipe are measured")
    for left in verdict.left[:_SHOWN_TARGETS]:
        examined.say(NOTE, "left", f"{left.target}: {left.reason}", left.change)
    if len(verdict.left) > _SHOWN_TARGETS:
        examined.say(NOTE, "left", f"and {len(verdict.left) - _SHOWN_TARGETS} more (doctor --json has all)")


def _say_target(examined: Examined, reading: Reading, verdict: Verdict, name: str) -> None:
    result, text, change = _target_result(reading, verdict, name)
    examined.document["target"] = {"name": name, "measured": result == OK, "reason": text, "change": change or None}
    examined.say(result, "target", f"{name}: {text}", change)


def _target_result(reading: Reading, verdict: Verdict, name: str) -> tuple[str, str, str]:
    target = reading.targets.get(name)
    if target is None or not (target.has_recipe or target.prerequisites):
        # Among the targets of make's database is also what make was asked for, whether a rule names it or not.
        hint = did_you_mean(name, reading.targets.keys() - {name})
        return NOTE, f"no rule with a recipe names it{hint}; a pattern rule may make it", ""
    if not verdict.hook:
        return BAD, "it is left to make, as all targets are", ""
    for left in _of(verdict.left, name):
        return BAD, left.reason, left.change
    if not target.has_recipe:
        return NOTE, "it has no recipe: only its prerequisites are recorded", ""
    return OK, "it is measured", ""


def _of(left: list[Left], name: str) -> Iterator[Left]:
    return (entry for entry in left if entry.target == name)
