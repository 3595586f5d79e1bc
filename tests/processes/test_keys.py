"""The key of a process and when it was started."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil
import pytest

from make_metrics.processes.keys import process_key, start_time_ns
from make_metrics.sweep.sweep import sweep
from tests.support.project import Project
from tests.support.records import runs, stored

TICK_NS = 10_000_000  # the resolution of a process's start on Linux


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="needs a clock that counts from the boot")
def test_a_start_is_told_to_a_clock_tick() -> None:
    for _ in range(3):
        before_ns = time.time_ns()
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
            after_ns = time.time_ns()
            assert before_ns - 2 * TICK_NS <= start_time_ns(psutil.Process(process.pid)) <= after_ns + TICK_NS
            process.kill()


def test_a_process_that_is_gone_has_neither_key_nor_start() -> None:
    with subprocess.Popen(["true"]) as process:
        pass
    assert process_key(process.pid) is None
    with pytest.raises(psutil.NoSuchProcess):
        start_time_ns(psutil.Process(process.pid))


def test_a_run_begins_before_its_first_target_and_not_before_make_was_started(each: Project) -> None:
    each.write("all:\n    @echo all\n")
    before_ns = time.time_ns()
    each.make()
    assert sweep(each.paths).combined == 1
    ((run,), (event,)) = runs(each.paths), stored(each.paths)
    assert before_ns - 2 * TICK_NS <= run.started_ns <= event.start_wall_ns
