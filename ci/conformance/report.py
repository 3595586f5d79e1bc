"""The report: where the suite was run, the verdict of each case in each mode, and the lines that differ."""

from __future__ import annotations

import difflib
import platform
import re
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ci import find_makes
from ci.conformance.approved import Approval
from ci.conformance.execute import Outcome

FORMAT = 1
SAME, APPROVED, DIFFERS, SKIPPED = "same", "approved", "differs", "skipped"


@dataclass(slots=True)
class Verdict:
    """The verdict on a case in a mode.

    `differences` and `events_differ` are lines with - (plain make, expected events) or + (ours) in front. `plain` is
    the outcome with plain make; `events` are the recorded ones; `why` says why it was approved or skipped.
    """

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
    """The lines that differ, with the name of their part and - (plain) or + (ours) in front."""
    lines = []
    for part in plain:
        changed = difflib.unified_diff(plain[part], ours[part], lineterm="", n=0)
        lines += [f"{part} {line}" for line in changed if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return lines


def _accept_interleaving(plain: dict[str, list[str]], ours: dict[str, list[str]]) -> dict[str, list[str]]:
    """Ours, with plain make's lines where both printed the same characters: jobs tear each other's lines."""
    torn = [part for part in ("output", "errors") if sorted("".join(plain[part])) == sorted("".join(ours[part]))]
    return {part: plain[part] if part in torn else lines for part, lines in ours.items()}


def judge(
    verdict: Verdict, plain: Outcome, ours: Outcome, approvals: Iterable[Approval], *, interleaved: bool = False
) -> None:
    """Compare two outcomes and complete the verdict.

    `interleaved` says that recipes ran at the same time and their output is mixed.
    """
    verdict.plain, parts = plain.parts(), ours.parts()
    verdict.differences = differences(
        verdict.plain, _accept_interleaving(verdict.plain, parts) if interleaved else parts
    )
    not_approved = []
    for line in verdict.differences + verdict.events_differ:
        allowing = next((entry for entry in approvals if entry.allows(line)), None)
        if allowing:
            allowing.used = True
            verdict.why = allowing.why
        else:
            not_approved.append(line)
    differs = verdict.differences or verdict.events_differ
    verdict.verdict = DIFFERS if not_approved else APPROVED if differs else SAME


def probe(make: Path) -> dict[str, Any]:
    """Version, features, shell and host of a make."""
    makefile = "$(info $(MAKE_VERSION))$(info $(.FEATURES))$(info $(SHELL))$(info $(MAKE_HOST))\nall: ;\n"
    done = subprocess.run([str(make), "-s", "-f", "-"], input=makefile, capture_output=True, text=True, check=True)
    version, features, shell, host = done.stdout.splitlines()[:4]
    maker = "-apple" if find_makes.version(make).endswith("-apple") else ""
    return {
        "version": version + maker,
        "features": sorted(features.split()),
        "shell": str(Path(shell).resolve()),
        "host": host,
    }


def environment(make: Path, python: str) -> dict[str, Any]:
    """Where the suite is run: system, interpreter, make."""
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
    """The report as text: every difference that is not approved, then the counts."""
    lines = []
    for verdict in verdicts:
        if verdict.verdict == DIFFERS:
            lines.append(f"## {verdict.case} ({verdict.mode})")
            lines += [re.sub(r"[^\S ]", " ", line)[:400] for line in verdict.differences + verdict.events_differ]
    lines += [f"## stale approval: {entry.case} ({entry.mode}, {entry.platform}, {entry.make})" for entry in stale]
    counts = {name: sum(verdict.verdict == name for verdict in verdicts) for name in (SAME, APPROVED, DIFFERS, SKIPPED)}
    lines.append(", ".join(f"{count} {name}" for name, count in counts.items()) + f", {len(stale)} stale approvals")
    return "\n".join(lines)
