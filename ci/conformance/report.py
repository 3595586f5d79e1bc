"""One report: what was run where, each case's verdict in each mode, and the differences verbatim."""

from __future__ import annotations

import difflib
import platform
import re
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ci.conformance.approved import Approval
from ci.conformance.execute import Outcome

FORMAT = 1
SAME, APPROVED, DIFFERS, SKIPPED = "same", "approved", "differs", "skipped"


@dataclass(slots=True)
class Verdict:
    """What came of one case in one mode; `differences` and `events_missed` are lines with - and + in front."""

    case: str
    mode: str
    verdict: str
    differences: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    events_differ: list[str] = field(default_factory=list)
    plain: dict[str, list[str]] = field(default_factory=dict)
    why: str = ""
    seconds: float = 0.0


def differences(plain: dict[str, list[str]], ours: dict[str, list[str]]) -> list[str]:
    """The lines that differ, each with its part's name and - or + in front."""
    found = []
    for part in plain:
        changed = difflib.unified_diff(plain[part], ours[part], lineterm="", n=0)
        found += [f"{part} {line}" for line in changed if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return found


def _interleaved(plain: dict[str, list[str]], ours: dict[str, list[str]]) -> dict[str, list[str]]:
    """Ours, with plain's lines where both printed the same characters: who writes at once tears each other's lines."""
    torn = [part for part in ("output", "errors") if sorted("".join(plain[part])) == sorted("".join(ours[part]))]
    return {part: plain[part] if part in torn else lines for part, lines in ours.items()}


def judge(
    verdict: Verdict, plain: Outcome, ours: Outcome, approvals: Iterable[Approval], *, at_once: bool = False
) -> None:
    """Compare the two outcomes, and say in the verdict what that amounts to.

    `at_once` is for recipes that ran at the same time, and wrote to the same place as it came.
    """
    verdict.plain, parts = plain.parts(), ours.parts()
    verdict.differences = differences(verdict.plain, _interleaved(verdict.plain, parts) if at_once else parts)
    left = []
    for line in verdict.differences:
        allowing = next((entry for entry in approvals if entry.allows(line)), None)
        if allowing:
            allowing.used = True
            verdict.why = allowing.why
        else:
            left.append(line)
    verdict.verdict = DIFFERS if left or verdict.events_differ else APPROVED if verdict.differences else SAME


def probe(make: Path) -> dict[str, Any]:
    """What this make says of itself."""
    asked = "$(info $(MAKE_VERSION))$(info $(.FEATURES))$(info $(SHELL))$(info $(MAKE_HOST))\nall: ;\n"
    said = subprocess.run([str(make), "-s", "-f", "-"], input=asked, capture_output=True, text=True, check=True)
    version, features, shell, host = said.stdout.splitlines()[:4]
    return {"version": version, "features": sorted(features.split()), "shell": str(Path(shell).resolve()), "host": host}


def environment(make: Path, python: str) -> dict[str, Any]:
    """Where a report was made: system, make, interpreter."""
    return {
        "platform": platform.system().lower(),
        "system": platform.platform(),
        "python": python,
        "make": probe(make),
    }


def document(about: dict[str, Any], verdicts: list[Verdict], stale: list[Approval]) -> dict[str, Any]:
    """The report as one JSON document."""
    return {
        "format": FORMAT,
        **about,
        "verdicts": [asdict(verdict) for verdict in verdicts],
        "stale": [asdict(entry) for entry in stale],
    }


def summary(verdicts: list[Verdict], stale: list[Approval]) -> str:
    """The report for people: every difference that is not approved, then the counts."""
    text = []
    for verdict in verdicts:
        if verdict.verdict == DIFFERS:
            text.append(f"## {verdict.case} ({verdict.mode})")
            text += [re.sub(r"[^\S ]", " ", line)[:400] for line in verdict.differences + verdict.events_differ]
    text += [f"## stale approval: {entry.case} ({entry.mode}, {entry.platform}, {entry.make})" for entry in stale]
    counts = {name: sum(verdict.verdict == name for verdict in verdicts) for name in (SAME, APPROVED, DIFFERS, SKIPPED)}
    text.append(", ".join(f"{count} {name}" for name, count in counts.items()) + f", {len(stale)} stale approvals")
    return "\n".join(text)
