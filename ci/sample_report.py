"""Compares reports of the sample project from several systems: `python -m ci.sample_report FIRST.json OTHER.json...`

`ci/demo REPORT.json` writes one. What must be the same: which targets were measured, where, whether as a goal, how
often, how often each failed, and how it ended last. Times are shown and not compared. The exit status is 1 for a
difference.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_SAME = ("runs", "failures", "last_exit_status")
Target = tuple[str, str, bool]


def rows(report: dict[str, Any]) -> dict[Target, dict[str, Any]]:
    """The targets of a report, by directory, name, and whether the target was a goal."""
    return {(row["directory"], row["target"], row["goal"]): row for row in report["targets"]}


def title(target: Target) -> str:
    """A target in words."""
    directory, name, is_goal = target
    return f"{name}{'' if directory == '.' else f' in {directory}'}{' (goal)' if is_goal else ''}"


def differences(first: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    """What is not the same in two reports, a line each."""
    of_first, of_other = rows(first), rows(other)
    for target in sorted(of_first.keys() | of_other.keys()):
        if target not in of_other:
            yield f"{title(target)}: only in the first"
        elif target not in of_first:
            yield f"{title(target)}: only in the other"
        else:
            for name in _SAME:
                pair = of_first[target][name], of_other[target][name]
                if pair[0] != pair[1]:
                    yield f"{title(target)}: {name} {pair[0]} and {pair[1]}"


def _cell(row: dict[str, Any] | None) -> str:
    if row is None:
        return ""
    runs = f"{row['runs']} run{'s' * (row['runs'] != 1)}"
    return f"{runs}, {row['failures']} failed, median {row['median_ms']} ms"


def table(reports: dict[str, dict[str, Any]]) -> list[str]:
    """A Markdown table: a row for each target, for each report its runs, failures and median."""
    by_report = {name: rows(report) for name, report in reports.items()}
    lines = [f"| target | {' | '.join(by_report)} |", "|---|" + "---|" * len(by_report)]
    for target in sorted({target for of_report in by_report.values() for target in of_report}):
        cells = [_cell(of_report.get(target)) for of_report in by_report.values()]
        lines.append(f"| {title(target)} | {' | '.join(cells)} |")
    return lines


def main(words: Sequence[str] | None = None) -> int:
    """Print the table and every difference from the first report."""
    parser = argparse.ArgumentParser(prog="python -m ci.sample_report", description=__doc__.partition("\n")[0])
    parser.add_argument("reports", nargs="+", type=Path, metavar="REPORT")
    options = parser.parse_args(words)
    reports = {path.stem: json.loads(path.read_text()) for path in options.reports}
    print("\n".join(table(reports)), "", sep="\n")
    (first, of_first), *others = reports.items()
    found = [f"{first} and {name}: {line}" for name, report in others for line in differences(of_first, report)]
    print("".join(f"- {line}\n" for line in found) or "All reports say the same, but for times.\n", end="")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
