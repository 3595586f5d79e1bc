"""Measures the commands that read many runs, on stores of 10,000 to 1,000,000 events.

    python -m ci.bench.store [--events N ...] [--rounds N] [--out FILE]

Fills a store of each size (10,000 events, 100,000 and 1,000,000; --events 10000000 takes minutes and 500 MB) with 90
days of runs of three projects, 500 targets each, and runs each command as a process of its own: seconds, processor
seconds, and the most memory. Each figure is a median. Time depends on what else the machine does; processor time
hardly.
Writes Markdown to FILE, or to standard output.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from ci.bench import page
from ci.bench.timing import Ended, ended
from ci.bench.whole import machine
from ci.build_launcher import ROOT
from make_metrics.files.paths import Paths, private_directory
from make_metrics.store import database
from make_metrics.store.bounds import DAY_NS
from make_metrics.store.compact.texts import Texts

SIZES = (10_000, 100_000, 1_000_000)
_TARGETS = 500  # of a run
_DAYS = 90
_BRANCHES = ("main", "feature")
# Half of the runs are of the first project, which the commands are about.
_PROJECTS = (0, 0, 1, 2)


@dataclass(frozen=True)
class Question:
    """A command, and the bounds in seconds and MiB that it is to keep on a million events; 0 for none.

    `once`: it takes long, and is run once alone.
    """

    words: tuple[str, ...]
    seconds: float = 0
    mib: float = 0
    once: bool = False


QUESTIONS = (
    Question(("report", "--since", "30d"), 1.5, 120),
    Question(("report", "--since", "30d", "--all")),
    Question(("report", "--all")),
    Question(("report", "--since", "30d", "--by", "week")),
    Question(("compare", "--since", "45d", "--against", "45d")),
    Question(("compare", "last~1", "last")),
    Question(("runs", "--limit", "20"), 0.4),
    Question(("last",), 0.4),
    Question(("status",), 0.4),
    Question(("events",), 0, 60, once=True),
)


def fill(home: Path, projects: Sequence[Path], events: int) -> int:
    """Make a store with so many events in a home of make-metrics; the file's size in bytes."""
    numbers = random.Random(1)  # noqa: S311
    paths = Paths.from_environment({"MAKE_METRICS_HOME": str(home)})
    for folder in (paths.state, paths.config):
        private_directory(folder)
    (paths.config / "settings.toml").write_text("history-mib = 4096\n")
    with database.opened(paths, []) as connection:
        connection.execute("BEGIN")
        texts = Texts(connection)
        names = [
            [texts.number(f"build/{project}/module_{index:03}/object.o") for index in range(_TARGETS - 1)]
            + [texts.number("all")]
            for project in range(len(projects))
        ]
        count = max(1, events // _TARGETS)
        for run in range(count):
            project = _PROJECTS[run % len(_PROJECTS)]
            _put_run(connection, texts, numbers, run, _DAYS * DAY_NS * (count - run) // count, str(projects[project]),
                     names[project])  # fmt: skip
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return paths.store.stat().st_size


def _put_run(
    connection: sqlite3.Connection, texts: Texts, numbers: random.Random, run: int, age_ns: int, directory: str,
    names: Sequence[int],
) -> None:  # fmt: skip
    start_ns = time.time_ns() - age_ns
    shared = {
        "directory": texts.number(directory),
        "goals": texts.number('["all"]'),
        "make_version": texts.number("4.3"),
        "jobs": 4,
    }
    commit = {"commit_id": texts.number(f"{run // 5:040x}"), "branch": texts.number(_BRANCHES[run // 5 % 2])}
    times = {"started_ns": start_ns, "duration_ms": 100_000, "before_ms": 5, "combined_ns": start_ns + 10**11}
    key, number = f"bench.{run}.1", run + 1
    build = {"number": number, "id": key, "exit_status": 0, "targets": len(names), "torn": 0, "lines": 0}
    make = {"build": number, "number": 0, "key": key, "level": 0, "parallel": 1, "is_test": 0, "parent_target": 0}
    _insert(connection, "builds", [{**build, **shared, **commit, **times}])
    _insert(connection, "makes", [{**make, "metrics": "{}", **shared}])
    rows = list[dict[str, int | None]]()
    for index, name in enumerate(names):
        duration_us = int(numbers.lognormvariate(11 + index % 5 * 0.3, 0.1))
        goal = int(index == len(names) - 1)
        row = {"build": run + 1, "make": 0, "name": name, "start_us": index * 100_000, "lead_us": 0, "lines": 1}
        row |= {"span_us": duration_us, "idle_us": 0, "cpu_us": duration_us // 2, "peak_kib": 20_000, "goal": goal}
        rows.append({**row, "exit_status": int(numbers.random() < 0.01), "whole_ms": 100_000 if goal else None})
    _insert(connection, "targets", sorted(rows, key=itemgetter("name")))


def _insert(connection: sqlite3.Connection, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    columns = list(rows[0])
    query = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608
    connection.executemany(query, [[row[column] for column in columns] for row in rows])


@contextlib.contextmanager
def filled(events: int) -> Iterator[tuple[Path, Path, int]]:
    """A home whose store has so many events, the folder of the first project, and the store's size in bytes."""
    with tempfile.TemporaryDirectory(prefix="make-metrics-bench-") as folder:
        root = Path(folder)
        projects = [root / f"project{number}" for number in range(3)]
        for project in projects:
            project.mkdir()
            (project / "make-metrics.toml").write_text('name = "bench"\n')
        yield root / "home", projects[0], fill(root / "home", projects, events)


def ask(question: Question, home: Path, project: Path, rounds: int) -> Ended:
    """What a command takes: medians of several runs."""
    words = [sys.executable, "-m", "make_metrics", *question.words]
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(home), "MAKE_METRICS_HOME": str(home), "LC_ALL": "C.UTF-8",
               "PYTHONPATH": str(ROOT / "shim")}  # fmt: skip
    results = [ended(words, project, environ) for _ in range(1 if question.once else rounds)]
    return Ended(*(statistics.median(values) for values in zip(*(
        (result.seconds, result.cpu_seconds, result.peak_mib) for result in results), strict=True)))  # fmt: skip


def markdown(results: Mapping[int, tuple[int, Mapping[Question, Ended]]], command: str) -> str:
    """The page: a row for each command, three columns for each size."""
    sizes = list(results)
    described = "; ".join(f"{name}: {value}" for name, value in machine().items())
    lines = [
        "# What reading many runs costs",
        "",
        f"Written by `{command}`. {described}.",
        "",
        f"90 days of runs of three projects with {_TARGETS} targets each, half of them of the current one. Medians:",
        "seconds of time and, in brackets, of processor time; the most memory in MiB. All contain Python's start.",
        "",
        "| events | store, MiB | bytes an event |",
        "| --: | --: | --: |",
        *(f"| {size:,} | {taken / 2**20:.1f} | {taken / size:.0f} |" for size, (taken, _) in results.items()),
        "",
        f"| command | {' | '.join(f'{size:,} events | MiB' for size in sizes)} | to keep on 1,000,000 |",
        f"| --- |{' --: | --: |' * len(sizes)} --- |",
    ]
    for question in QUESTIONS:
        cells = [f"`{' '.join(('make-metrics', *question.words))}`"]
        for _, found in results.values():
            one = found[question]
            cells += [f"{one.seconds:.2f} ({one.cpu_seconds:.2f})", f"{one.peak_mib:.0f}"]
        bounds = [f"{question.seconds} s"] * bool(question.seconds) + [f"{question.mib:.0f} MiB"] * bool(question.mib)
        lines.append(f"| {' | '.join(cells)} | {', '.join(bounds)} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.bench.store", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, nargs="+", default=list(SIZES), help="sizes of stores, in events")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each command")
    parser.add_argument("--out", type=Path, help="the file to write")
    options = parser.parse_args(arguments)
    results = {}
    for events in options.events:
        with filled(events) as (home, project, size):
            results[events] = size, {question: ask(question, home, project, options.rounds) for question in QUESTIONS}
    words = "" if options.events == list(SIZES) else f" --events {' '.join(map(str, options.events))}"
    words += f" --rounds {options.rounds}" * (options.rounds != parser.get_default("rounds"))
    text = markdown(results, f"python -m ci.bench.store{words}")
    page.write(text, options.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
