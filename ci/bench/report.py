"""Writes the measurements as Markdown."""

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


def _row(name: str, spread: Spread, plain: Spread) -> list[str]:
    added = "" if name == PLAIN else f"{spread.median - plain.median:+.2f}"
    median = f"{spread.median:.2f} ({spread.low:.2f}-{spread.high:.2f})"
    return [median, added, f"{spread.median / plain.median:.2f}"]


def _lines(ways: dict[str, Cost]) -> list[str]:
    plain = ways[PLAIN]
    rows = []
    for name, cost in ways.items():
        rows.append([name, *_row(name, cost.wall, plain.wall), *_row(name, cost.cpu, plain.cpu)[:2]])
    return _table(["way", "ms a line (quartiles)", "added ms", "of plain make", "CPU ms a line", "added CPU ms"], rows)


def _whole(ways: dict[str, Spread]) -> list[str]:
    rows = [[name, *_row(name, spread, ways[PLAIN])] for name, spread in ways.items()]
    return _table(["way", "ms (quartiles)", "added ms", "of plain make"], rows)


def _aims(ways: dict[str, Cost], starts: dict[str, Spread]) -> list[str]:
    """The shims' costs in the units of the project's aims: the C wrapper's cost, the interpreter's start."""
    plain, wrapper = ways[PLAIN], ways[C_WRAPPER]
    lines = []
    for name, cost in ways.items():
        if name.startswith("compiled"):
            wall = (cost.wall.median - plain.wall.median) / (wrapper.wall.median - plain.wall.median)
            cpu = (cost.cpu.median - plain.cpu.median) / (wrapper.cpu.median - plain.cpu.median)
            lines.append(f"- {name}: {wall:.2f} of what the C wrapper adds in time, {cpu:.2f} in CPU time")
        if name.startswith("Python shim"):
            over = cost.wall.median - plain.wall.median - starts[INTERPRETER].median
            lines.append(f"- {name}: {over:+.2f} ms beside the interpreter's start and the plain line")
    return lines


def markdown(results: Results) -> str:
    """The page."""
    machine = "; ".join(f"{name}: {value}" for name, value in results.machine.items())
    text = [
        "# What recording costs",
        "",
        f"Written by `{results.command}`. {machine}; {results.make}.",
        "",
        "All ways take turns within one run, in another order each round; each figure is a median, with the quartiles.",
        "Compare with plain make in the same table: the milliseconds are this machine's.",
        "A line's cost is the difference between a run with few and one with many, without what a run costs once.",
        "",
        "## One recipe line",
        "",
    ]
    for scenario, ways in results.lines.items():
        text += [f"### {scenario}", "", *_lines(ways), *_aims(ways, results.starts), ""]
    bare = " and ".join(f"`{name}` {spread.median:.2f} ms" for name, spread in results.starts.items())
    text += [f"For comparison, starting and ending alone: {bare}.", "", "## A whole make", ""]
    for name, spreads in results.makes.items():
        text += [f"### {name}", "", *_whole(spreads)]
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
        "Measured while as many as possible wait at once, without the shells that run the recipes.",
        "",
    ]
    rows = [
        [way, str(memory.lines), str(memory.at_once), f"{memory.private_kib:.0f}", f"{memory.proportional_kib:.0f}",
         f"{memory.together_mib:.1f}"]
        for way, memory in results.waiting.items()
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
    text += ["## When make ends, after an opt-in", "", "One target of 200 ms, with the compiled launcher and a sender."]
    text += ["", *_table(table[0], table[1:]), ends.arrival(results.sending), ""]
    text += ["## How cost grows with the lines of one run", "", "Combining is a whole `make-metrics runs`.", ""]
    rows = [
        [f"{run.lines}", f"{run.plain_ms:.2f}", f"{run.compiled_ms:.2f}", f"{run.record_kib:.0f}",
         f"{run.combine_s:.2f}", f"{run.combine_peak_mib:.0f}"]
        for run in results.growth
    ]  # fmt: skip
    head = ["lines", "plain, ms a line", "compiled, ms a line", "record, KiB", "combining, s", "combining, peak MiB"]
    text += _table(head, rows)
    return "\n".join(text)
