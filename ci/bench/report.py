"""The measurements as Markdown."""

from __future__ import annotations

from dataclasses import dataclass

from ci.bench import ends
from ci.bench.lines import C_WRAPPER, PLAIN, Cost
from ci.bench.real import Build
from ci.bench.timing import Spread
from ci.bench.waiting import Waiting
from ci.bench.whole import INTERPRETER, PSUTIL, Growth


@dataclass(frozen=True)
class Results:
    """Everything that was measured, in milliseconds."""

    machine: dict[str, str]
    make: str
    command: str
    starts: dict[str, Spread]
    lines: dict[str, dict[str, Cost]]
    makes: dict[str, dict[str, Spread]]
    waiting: dict[str, Waiting]
    real: Build | None
    sending: ends.Sending
    growth: list[Growth]


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    ruler = ["---"] + ["--:"] * (len(head) - 1)
    return [f"| {' | '.join(cells)} |" for cells in (head, ruler, *rows)] + [""]


def _row(name: str, one: Spread, plain: Spread) -> list[str]:
    added = "" if name == PLAIN else f"{one.median - plain.median:+.2f}"
    return [f"{one.median:.2f} ({one.low:.2f}-{one.high:.2f})", added, f"{one.median / plain.median:.2f}"]


def _lines(found: dict[str, Cost]) -> list[str]:
    plain = found[PLAIN]
    rows = []
    for name, one in found.items():
        rows.append([name, *_row(name, one.wall, plain.wall), *_row(name, one.cpu, plain.cpu)[:2]])
    return _table(["way", "ms a line (quartiles)", "added ms", "of plain make", "CPU ms a line", "added CPU ms"], rows)


def _whole(found: dict[str, Spread]) -> list[str]:
    rows = [[name, *_row(name, one, found[PLAIN])] for name, one in found.items()]
    return _table(["way", "ms (quartiles)", "added ms", "of plain make"], rows)


def _aims(ways: dict[str, Cost], starts: dict[str, Spread]) -> list[str]:
    """What this project's aims are said in."""
    plain, wrapper = ways[PLAIN], ways[C_WRAPPER]
    said = []
    for name, one in ways.items():
        if name.startswith("compiled"):
            wall = (one.wall.median - plain.wall.median) / (wrapper.wall.median - plain.wall.median)
            cpu = (one.cpu.median - plain.cpu.median) / (wrapper.cpu.median - plain.cpu.median)
            said.append(f"- {name}: {wall:.2f} of what the C wrapper adds in time, {cpu:.2f} in CPU time")
        if name.startswith("Python shim"):
            over = one.wall.median - plain.wall.median - starts[INTERPRETER].median
            said.append(f"- {name}: {over:+.2f} ms beside the interpreter's start and the plain line")
    return said


def markdown(results: Results) -> str:
    """The page."""
    machine = "; ".join(f"{name}: {value}" for name, value in results.machine.items())
    text = [
        "# What recording costs",
        "",
        f"Written by `{results.command}`. {machine}; {results.make}.",
        "",
        "All ways take turns within one run, in another order each round; each figure is a median, with the quartiles.",
        "What counts is the comparison with plain make in the same table: the milliseconds are this machine's.",
        "A line's cost is the difference between a run with few and one with many, without what a run costs once.",
        "",
        "## One recipe line",
        "",
    ]
    for scenario, ways in results.lines.items():
        text += [f"### {scenario}", "", *_lines(ways), *_aims(ways, results.starts), ""]
    bare = " and ".join(f"`{name}` {one.median:.2f} ms" for name, one in results.starts.items())
    text += [f"For comparison, starting and ending alone: {bare}.", "", "## A whole make", ""]
    for name, found in results.makes.items():
        text += [f"### {name}", "", *_whole(found)]
    start, loaded = results.starts[INTERPRETER].median, results.starts[PSUTIL].median
    text += [
        "A make's first line waits for the walk up the process tree, unless its recipe takes longer than that.",
        f"Starting an interpreter and ending it takes {start:.0f} ms, with psutil loaded {loaded - start:.0f} ms more.",
        "",
    ]
    if results.real:
        real = results.real
        text += [
            f"### {real.name}, built with its own makefiles and -j2 ({real.targets} targets)",
            "",
            *_whole(real.ways),
        ]
    text += [
        "## Memory of lines that wait for their recipes",
        "",
        "Measured when the most of them waited at once; the shells that run the recipes are not counted.",
        "",
    ]
    rows = [
        [way, str(one.lines), str(one.at_once), f"{one.private_kib:.0f}", f"{one.proportional_kib:.0f}",
         f"{one.together_mib:.1f}"]
        for way, one in results.waiting.items()
    ]  # fmt: skip
    head = [
        "way",
        "lines",
        "at once",
        "KiB a line, unshared",
        "KiB a line, with its part of what is shared",
        "together, MiB",
    ]
    text += _table(head, rows)
    table = ends.rows(results.sending)
    text += ["## When make ends, after a yes", "", "One target of 200 ms, with the compiled fast path and a sender."]
    text += ["", *_table(table[0], table[1:]), ends.arrival(results.sending), ""]
    text += ["## How cost grows with the lines of one run", "", "Combining is a whole `make-metrics runs`.", ""]
    rows = [
        [f"{one.lines}", f"{one.plain_ms:.2f}", f"{one.compiled_ms:.2f}", f"{one.record_kib:.0f}",
         f"{one.combine_s:.2f}", f"{one.combine_peak_mib:.0f}"]
        for one in results.growth
    ]  # fmt: skip
    head = ["lines", "plain, ms a line", "compiled, ms a line", "record, KiB", "combining, s", "combining, peak MiB"]
    text += _table(head, rows)
    return "\n".join(text)
