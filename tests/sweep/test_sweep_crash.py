"""Sweeps that are killed, sweeps beside writers, and large ones."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event as Event_
from pathlib import Path

import pytest

from make_metrics.combine.record import Make
from make_metrics.files.paths import Paths, private_directory
from make_metrics.hot import record_format
from make_metrics.sweep.sweep import sweep
from tests.support.records import add, age, ended_run, entry_of, left_in, line, lines_of, paths_in, runs, slower
from tests.support.sweep_points import POINTS, sweep_points


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = paths_in(tmp_path / "mm")
    private_directory(paths.records)
    return paths


def kill_at(paths: Paths, point: str, count: int) -> bool:
    """Sweep in a child that is killed when it reaches a point for the count-th time; whether it got there."""
    child = os.fork()
    if not child:
        left = count

        def reached(name: str) -> None:
            nonlocal left
            left -= name == point
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

        status = 1
        try:
            with sweep_points(reached):
                sweep(paths)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_sweep_neither_loses_nor_doubles_a_line(paths: Paths, point: str) -> None:
    wanted: Counter[str] = Counter()
    names = [ended_run() for _ in range(4)]
    for count in (1, 2, 3):
        for run in names:
            for number in range(3):
                add(paths, run, line(f"t{number}", make=run, start=10 * count + number))
                wanted[run] += 1
            text = record_format.preamble(run.encode(), os.urandom(8).hex().encode()) + entry_of(
                line("p", make=run, start=count)
            )
            (paths.records / f"{run}~{count}.rec").write_bytes(text)
            wanted[run] += 1
        assert kill_at(paths, point, count)
        for run in names:  # late lines, to whatever the killed sweep has left
            add(paths, run, line("late", make=run, start=100 + count))
            wanted[run] += 1
    assert sweep(paths).problems == []
    assert lines_of(paths) == wanted
    assert left_in(paths.records) == []
    assert all(run.torn == 0 for run in runs(paths))


SWEEP_FOR_EVER = """
from make_metrics.files.paths import Paths
from make_metrics.sweep.sweep import sweep
paths = Paths.from_environment()
while True:
    print(sweep(paths).combined, flush=True)
"""


def write(paths: Paths, run: str, writer: int, stop: Event_, counts: Queue[int]) -> None:
    count = 0
    while not stop.is_set():
        add(paths, run, line(f"t{writer}", make=run, start=count))
        count += 1
    counts.put(count)


def test_writers_beside_killed_sweeps_neither_lose_nor_double_a_line(home: Path) -> None:
    paths, run = Paths.from_environment(), ended_run()
    private_directory(paths.records)
    context = multiprocessing.get_context("fork")
    stop, counts = context.Event(), context.Queue()
    writers = [context.Process(target=write, args=(paths, run, number, stop, counts)) for number in range(4)]
    for writer in writers:
        writer.start()
    try:
        for kill in range(6):
            with subprocess.Popen([sys.executable, "-c", SWEEP_FOR_EVER], stdout=subprocess.PIPE) as sweeper:
                assert sweeper.stdout is not None
                for _ in range(5 + kill):
                    sweeper.stdout.readline()
                time.sleep(0.003 * kill)  # not to wait for anything: to be killed at another moment each time
                sweeper.kill()
    finally:
        stop.set()
    written = sum(counts.get(timeout=60) for _ in writers)
    for writer in writers:
        writer.join()
    for record in paths.records.glob("*~*"):
        age(record, 120)
    assert sweep(paths, timeout=60).problems == []
    assert written > 100
    assert lines_of(paths) == {run: written}
    assert left_in(paths.records) == []


MANY = """
import time
from pathlib import Path
from make_metrics.files.paths import Paths
from make_metrics.sweep.sweep import sweep
begun = time.process_time()
swept = sweep(Paths.from_environment())
# Not getrusage's, which an exec hands down from the process before.
peak = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
print(swept.combined, time.process_time() - begun, peak)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_ten_thousand_lines_take_a_second_and_60_megabytes(home: Path) -> None:
    paths, run = Paths.from_environment(), ended_run()
    private_directory(paths.records)
    record = add(paths, run, Make(key=run, goals=("all",)))
    with record.open("ab") as file:
        for number in range(10_000):
            part = line(f"directory/target{number % 5_000}", make=run, start=number, goal="all")
            file.write(entry_of(part))
    done = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, check=True)
    combined, seconds, peak = done.stdout.split()
    assert int(combined) == 1
    assert lines_of(paths) == {run: 10_000}
    assert float(seconds) < slower()
    assert int(peak) < 60 * 1024
