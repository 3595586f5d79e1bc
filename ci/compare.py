"""Compare two conformance reports: `python -m ci.compare A.json B.json`.

For each case and mode: the reason for its approved differences, the differences that are not approved and, if plain
make printed the same in both, the events. Paths of programs are left out. The exit status is 1 for a difference that is
not approved, and for an approval that no difference needs.
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
    """Read a report; raises ValueError for any other file, and for a report of another format."""
    document: dict[str, Any] = json.loads(path.read_text())
    if document.get("format") != report.FORMAT:
        raise ValueError(f"{path} is no conformance report of format {report.FORMAT}")
    return document


def name(document: dict[str, Any]) -> str:
    """The name of a report: platform, make and shim."""
    return f"{document['platform']} make {document['make']['version']}, {document['shim']} shim"


def _verdicts(document: dict[str, Any]) -> dict[Key, dict[str, Any]]:
    return {(verdict["case"], verdict["mode"]): verdict for verdict in document["verdicts"]}


def _behaviour(verdict: dict[str, Any]) -> list[str]:
    """The reason that a case's differences are approved for, else the differences."""
    if verdict["verdict"] == report.APPROVED:
        return [f"approved: {verdict['why']}"]
    return [_PATHS.sub("", line) for line in verdict["differences"]]


def compare(first: dict[str, Any], second: dict[str, Any]) -> Iterator[tuple[Key, list[str]]]:
    """Each case and mode of both reports that differs, with lines: - is the first report's, + the second's."""
    verdicts = _verdicts(first), _verdicts(second)
    for key in sorted(verdicts[0].keys() & verdicts[1].keys()):
        pair = [of_report[key] for of_report in verdicts]
        if report.SKIPPED in [verdict["verdict"] for verdict in pair]:
            continue
        sides: list[dict[str, list[str]]] = [{"difference": _behaviour(verdict)} for verdict in pair]
        if pair[0]["plain"] == pair[1]["plain"]:
            for side, verdict in zip(sides, pair, strict=True):
                side["event"] = verdict["events"]
        if changed := report.differences(*sides):
            yield key, changed


def judge(
    first: dict[str, Any], second: dict[str, Any], approvals: Sequence[approved.Approval]
) -> tuple[list[tuple[Key, list[str], str]], list[approved.Approval]]:
    """The differences with the reason of their approval (empty if not approved), and the approvals that none needs.

    An approval of a difference between reports names platforms, makes and shims of both: `4.3 4.4.1`.
    """
    where = {"platform": f"{first['platform']} {second['platform']}",
             "make": f"{first['make']['version']} {second['make']['version']}",
             "shim": f"{first['shim']} {second['shim']}"}  # fmt: skip
    judged = []
    for (case, mode), lines in compare(first, second):
        fitting = [entry for entry in approvals if entry.covers(case=case, mode=mode, **where)]
        why = ""
        for line in lines:
            allowing = next((entry for entry in fitting if entry.allows(line)), None)
            if allowing is None:
                why = ""
                break
            allowing.used, why = True, allowing.why
        judged.append(((case, mode), lines, why))
    stale = [entry for entry in approvals if not entry.used and entry.covers(case=entry.case, mode=entry.mode, **where)]
    return judged, stale


def table(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    """A Markdown table: a row for each report, with its counts by verdict."""
    rows = ["| report | python | same | approved | differs | skipped |", "|---|---|---|---|---|---|"]
    for document in (first, second):
        verdicts = [verdict["verdict"] for verdict in document["verdicts"]]
        counts = [verdicts.count(kind) for kind in (report.SAME, report.APPROVED, report.DIFFERS, report.SKIPPED)]
        rows.append(f"| {name(document)} | {document['python']} | " + " | ".join(str(count) for count in counts) + " |")
    return rows


def main(words: Sequence[str] | None = None) -> int:
    """Print the table, and every difference with the reason of its approval."""
    parser = argparse.ArgumentParser(prog="python -m ci.compare", description=__doc__)
    parser.add_argument("reports", nargs=2, type=Path, metavar="REPORT")
    parser.add_argument("--approved", type=Path, default=approved.APPROVED, help="the list of approved differences")
    options = parser.parse_args(words)
    first, second = (load(path) for path in options.reports)
    approvals = [entry for entry in approved.load(options.approved) if entry.between == "reports"]
    judged, stale = judge(first, second, approvals)
    print("\n".join(table(first, second)), "", sep="\n")
    for (case, mode), lines, why in judged:
        print(f"## {case} ({mode}): {'approved: ' + why if why else 'DIFFERS'}")
        print("".join(f"    {line[:300]}\n" for line in lines), end="")
    print("".join(f"## stale approval: {entry.case} ({entry.mode})\n" for entry in stale), end="")
    count = sum(not why for _, _, why in judged)
    print(f"{len(judged)} differences between the reports, {count} not approved, {len(stale)} stale approvals")
    return 1 if count or stale else 0


if __name__ == "__main__":
    sys.exit(main())
