"""Keeps what benchmarks measured, night by night, and compares with the last release.

    python -m ci.bench.history HISTORY --now NOW.json... [--release RELEASE.json...] [--name NAME]

HISTORY is a file of JSON lines: each run adds one, with NAME (a commit). NOW and RELEASE are files that `python -m
ci.bench` wrote on one machine, of this checkout and of the last release's, in turn and several of each.

Compared are ratios: a way's time through plain make's in the same table, so that another machine tells nearly the same;
of memory, the KiB. The rule for "slower" (and, the other way round, for "faster"), all three of:

  1. each run of now is above each run of the release: with five of each, one chance in 252 where nothing has changed.
     Less than three of each say nothing;
  2. the medians differ by more than 5%;
  3. they differ by more than three times the noise: how much this figure's nightly values, up to 30, differ from each
     other from one night to the next (median absolute difference). A history of less than five nights has no say.

Prints Markdown: the figures that changed, then all. The exit status is 1 if one became slower.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.bench.lines import PLAIN

FORMAT = 1
OURS = ("compiled", "Python shim")  # the other ways are not this project's
LEAST_CHANGE, NOISES = 0.05, 3.0
NIGHTS, LEAST_NIGHTS = 30, 5
LEAST_RUNS = 3
Figures = dict[str, float]  # by name: "lines: compound, sh: compiled, SHELL hook: cpu"


def figures(results: Mapping[str, Any]) -> Figures:
    """The figures of one `performance.json`; raises KeyError or TypeError for a file of another kind."""
    found: Figures = {}
    for scenario, ways in results["lines"].items():
        for way, cost in ways.items():
            if way.startswith(OURS):
                for kind in ("wall", "cpu"):
                    ratio = cost[kind]["median"] / ways[PLAIN][kind]["median"]
                    found[f"lines: {scenario}: {way}: {kind}"] = ratio
    for make, ways in results["makes"].items():
        for way, spread in ways.items():
            if way.startswith(OURS):
                found[f"makes: {make}: {way}"] = spread["median"] / ways[PLAIN]["median"]
    for way, memory in results["waiting"].items():
        found[f"memory: {way}: KiB"] = float(memory["private_kib"])
    return found


@dataclass(frozen=True)
class Comparison:
    """A figure's values of both sides, its noise (None if unknown), and the verdict."""

    name: str
    release: list[float]
    now: list[float]
    noise: float | None

    @property
    def change(self) -> float:
        """How much larger the median is now; 0.05 is 5%."""
        return statistics.median(self.now) / statistics.median(self.release) - 1

    @property
    def verdict(self) -> str:
        """`slower`, `faster`, or nothing."""
        if min(len(self.now), len(self.release)) < LEAST_RUNS:
            return ""
        if abs(self.change) <= max(LEAST_CHANGE, NOISES * (self.noise or 0.0)):
            return ""
        if min(self.now) > max(self.release):
            return "slower"
        return "faster" if max(self.now) < min(self.release) else ""


def noise(nights: Sequence[float]) -> float | None:
    """How much values of following nights differ, as a part of their size; None if there are too few.

    Of following nights, so that a change that stays counts once, and not as noise for ever.
    """
    if len(nights) < LEAST_NIGHTS:
        return None
    steps = [abs(after / before - 1) for before, after in itertools.pairwise(nights)]
    return statistics.median(steps)


def compare(release: Sequence[Figures], now: Sequence[Figures], history: Sequence[Figures]) -> Iterator[Comparison]:
    """Each figure that all runs of both sides have."""
    for name in now[0]:
        if all(name in run for run in (*release, *now)):
            nights = [night[name] for night in history if name in night][-NIGHTS:]
            yield Comparison(name, [run[name] for run in release], [run[name] for run in now], noise(nights))


def read_history(path: Path) -> list[dict[str, Any]]:
    """The entries of a history, oldest first; a line that cannot be read is left out, as is one of another format."""
    entries = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and entry.get("format") == FORMAT:
            entries.append(entry)
    return entries


def medians(runs: Sequence[Figures]) -> Figures:
    """The median of each figure that all runs have."""
    names = [name for name in runs[0] if all(name in run for run in runs)]
    return {name: statistics.median([run[name] for run in runs]) for name in names}


def markdown(comparisons: Sequence[Comparison]) -> list[str]:
    """What changed, and a table of all."""
    changed = [each for each in comparisons if each.verdict]
    lines = [f"- {each.name}: {each.verdict}, {each.change:+.0%}" for each in changed]
    lines = lines or ["Nothing became slower or faster than the last release."]
    lines += ["", "| figure | last release | now | change | noise | |", "|---|--:|--:|--:|--:|---|"]
    for each in comparisons:
        values = (statistics.median(each.release), statistics.median(each.now))
        spread = "" if each.noise is None else f"{each.noise:.1%}"
        lines.append(
            f"| {each.name} | {values[0]:.3g} | {values[1]:.3g} | {each.change:+.1%} | {spread} | {each.verdict} |"
        )
    return lines


def main(words: Sequence[str] | None = None) -> int:
    """Compare, print, and add a line to the history."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.bench.history", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("history", type=Path, help="the file to read and to add a line to")
    parser.add_argument("--now", nargs="+", type=Path, required=True, help="performance.json of this checkout")
    parser.add_argument("--release", nargs="+", type=Path, default=[], help="performance.json of the last release")
    parser.add_argument("--name", default="", help="what was measured: a commit")
    options = parser.parse_args(words)
    documents = [json.loads(path.read_text()) for path in options.now]
    now = [figures(document) for document in documents]
    release = [figures(json.loads(path.read_text())) for path in options.release]
    history = read_history(options.history)
    comparisons = list(compare(release, now, [entry["figures"] for entry in history])) if release else []
    if release:
        print("\n".join(markdown(comparisons)))
    else:
        print("There is no release to compare with.")
    entry = {"format": FORMAT, "name": options.name, "machine": documents[0]["machine"], "figures": medians(now)}
    options.history.parent.mkdir(parents=True, exist_ok=True)
    with options.history.open("a") as file:
        file.write(json.dumps(entry) + "\n")
    print(f"\n{len(history) + 1} nights are kept.")
    return int(any(each.verdict == "slower" for each in comparisons))


if __name__ == "__main__":
    sys.exit(main())
