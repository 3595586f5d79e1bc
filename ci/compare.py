"""`python -m ci.compare A.json B.json`: two conformance reports side by side; status 1 for a difference not approved.

Compared is behaviour: of each case and mode the reason for its approved differences, the differences that are not
approved, and, where plain make printed the same on both, the events. Paths of programs are not behaviour.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ci.conformance import approved, report

_PATHS = re.compile(r"(?<![\w@])/[\w./+@-]+/(?=[\w.+-]+)")
Key = tuple[str, str]


def load(path: Path) -> dict[str, Any]:
    """A report; raises ValueError for a file that is none, or of another format."""
    document: dict[str, Any] = json.loads(path.read_text())
    if document.get("format") != report.FORMAT:
        raise ValueError(f"{path} is no conformance report of format {report.FORMAT}")
    return document


def name(document: dict[str, Any]) -> str:
    """A report's name for people: platform and make."""
    return f"{document['platform']} make {document['make']['version']}, {document['shim']} shim"


def _verdicts(document: dict[str, Any]) -> dict[Key, dict[str, Any]]:
    return {(one["case"], one["mode"]): one for one in document["verdicts"]}


def _behaviour(verdict: dict[str, Any]) -> list[str]:
    """What a case shows of us: the reason that its differences are approved for, or else the differences."""
    if verdict["verdict"] == report.APPROVED:
        return [f"approved: {verdict['why']}"]
    return [_PATHS.sub("", line) for line in verdict["differences"]]


def compare(one: dict[str, Any], two: dict[str, Any]) -> Iterator[tuple[Key, list[str]]]:
    """Each case and mode that both ran and that differs, and how: lines with - of the first, + of the second."""
    first, second = _verdicts(one), _verdicts(two)
    for key in sorted(first.keys() & second.keys()):
        mine, theirs = first[key], second[key]
        if report.SKIPPED in (mine["verdict"], theirs["verdict"]):
            continue
        sides: list[dict[str, list[str]]] = [{"difference": _behaviour(verdict)} for verdict in (mine, theirs)]
        if mine["plain"] == theirs["plain"]:
            for side, verdict in zip(sides, (mine, theirs), strict=True):
                side["event"] = verdict["events"]
        if changed := report.differences(*sides):
            yield key, changed


def judge(
    one: dict[str, Any], two: dict[str, Any], approvals: Sequence[approved.Approval]
) -> tuple[list[tuple[Key, list[str], str]], list[approved.Approval]]:
    """The differences with the reason they are approved for (empty if they are not), and the stale approvals.

    An approval of a difference between reports names the makes of both in `make`: `4.3 4.4.1`.
    """
    place = {"platform": f"{one['platform']} {two['platform']}",
             "make": f"{one['make']['version']} {two['make']['version']}",
             "shim": f"{one['shim']} {two['shim']}"}  # fmt: skip
    found = []
    for (case, mode), lines in compare(one, two):
        fitting = [entry for entry in approvals if entry.covers(case=case, mode=mode, **place)]
        why = ""
        for line in lines:
            allowing = next((entry for entry in fitting if entry.allows(line)), None)
            if allowing is None:
                why = ""
                break
            allowing.used, why = True, allowing.why
        found.append(((case, mode), lines, why))
    stale = [entry for entry in approvals if not entry.used and entry.covers(case=entry.case, mode=entry.mode, **place)]
    return found, stale


def table(one: dict[str, Any], two: dict[str, Any]) -> list[str]:
    """The comparison as a Markdown table: a row for each report, its counts by verdict."""
    rows = ["| report | python | same | approved | differs | skipped |", "|---|---|---|---|---|---|"]
    for document in (one, two):
        said = [verdict["verdict"] for verdict in document["verdicts"]]
        counts = [said.count(kind) for kind in (report.SAME, report.APPROVED, report.DIFFERS, report.SKIPPED)]
        rows.append(f"| {name(document)} | {document['python']} | " + " | ".join(str(count) for count in counts) + " |")
    return rows


def main(words: Sequence[str] | None = None) -> int:
    """Print the table, and every difference with its reason."""
    ask = argparse.ArgumentParser(prog="python -m ci.compare", description=__doc__)
    ask.add_argument("reports", nargs=2, type=Path, metavar="REPORT")
    ask.add_argument("--approved", type=Path, default=approved.APPROVED, help="the list of approved differences")
    asked = ask.parse_args(words)
    one, two = (load(path) for path in asked.reports)
    approvals = [entry for entry in approved.load(asked.approved) if entry.between == "reports"]
    found, stale = judge(one, two, approvals)
    print("\n".join(table(one, two)), "", sep="\n")
    for (case, mode), lines, why in found:
        print(f"## {case} ({mode}): {'approved: ' + why if why else 'DIFFERS'}")
        print("".join(f"    {line[:300]}\n" for line in lines), end="")
    print("".join(f"## stale approval: {entry.case} ({entry.mode})\n" for entry in stale), end="")
    bad = sum(not why for _, _, why in found)
    print(f"{len(found)} differences between the reports, {bad} not approved, {len(stale)} stale approvals")
    return 1 if bad or stale else 0


if __name__ == "__main__":
    sys.exit(main())
