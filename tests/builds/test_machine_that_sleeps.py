"""A machine that is suspended while make runs: the clocks on the wall and since the boot go on, the monotonic does not.

No machine sleeps here. From the moment that a recipe writes a file, both shims read those two clocks eight hours later:
the launcher by a clock_gettime of the test's own, the interpreter by a preloaded one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ci.build_launcher import ROOT, SOURCE, NotBuilt, build
from tests.support.programs import needs
from tests.support.project import Project

SLEPT_S = 8 * 3600
CLOCK = f"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int sleeping_clock_gettime(clockid_t clock, struct timespec *now);
int sleeping_clock_gettime(clockid_t clock, struct timespec *now)
{{
    int status = (int)syscall(SYS_clock_gettime, clock, now);
    const char *slept = getenv("SLEPT");
    if (clock != CLOCK_MONOTONIC && slept != NULL && access(slept, F_OK) == 0)
        now->tv_sec += {SLEPT_S};
    return status;
}}
"""
IN_LAUNCHER = f'#define clock_gettime sleeping_clock_gettime\n#include "{ROOT / SOURCE}"\n'
PRELOADED = """
int clock_gettime(clockid_t clock, struct timespec *now) { return sleeping_clock_gettime(clock, now); }
"""


def _environment_that_sleeps(project: Project, folder: Path, *, compiled: bool) -> dict[str, str]:
    """The environment for a make whose shims live through the sleep."""
    source = folder / "clock.c"
    variables = {"SLEPT": str(project.folder / "slept")}
    source.write_text(CLOCK + (IN_LAUNCHER if compiled else PRELOADED))
    if compiled:
        launcher = folder / "launcher"
        try:
            build(launcher, source)
        except NotBuilt as reason:
            pytest.skip(f"no compiled fast path here: {reason}")
        text = project.paths.fragment.read_text().replace("baked.copy := /", "baked.copy := /nowhere/")
        at = text.index(".metrics.baked.launcher := /")
        project.paths.fragment.write_text(
            f"{text[:at]}.metrics.baked.launcher := {launcher}{text[text.index(chr(10), at) :]}"
        )
        return project.environment(**variables)
    needs("cc")
    library = folder / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    return project.environment(**variables, LD_PRELOAD=str(library))


@pytest.mark.asks_system
@pytest.mark.skipif(sys.platform != "linux", reason="needs LD_PRELOAD and the launcher")
def test_a_build_that_the_machine_slept_through(project: Project, compiled: bool, tmp_path: Path) -> None:
    """Durations are those of a clock on the wall, and what came after the sleep has the time of after the sleep."""
    env = _environment_that_sleeps(project, tmp_path, compiled=compiled)
    project.write("""
        all: after
            @echo all
        after: night
            @echo after && :
        night: before
            @touch slept && :
        before:
            @echo before && :
        """)
    done = project.make(env=env)
    assert (done.returncode, done.stdout, done.stderr) == (0, "before\nafter\nall\n", "")
    events = project.events()
    durations = {name: event["duration_ms"] // 1000 for name, event in events.items()}
    assert durations.pop("night") in (SLEPT_S, SLEPT_S + 1)
    assert durations.pop("all") in (SLEPT_S, SLEPT_S + 1)
    assert all(seconds < 60 for seconds in durations.values())
    started = {name: datetime.fromisoformat(event["start_time"]) for name, event in events.items()}
    assert started["night"] - started["before"] < timedelta(seconds=60)
    assert timedelta(0) <= started["after"] - started["before"] - timedelta(seconds=SLEPT_S) < timedelta(seconds=60)
    (run,) = json.loads(project.cli("runs", "--json").stdout)
    assert 0 <= run["duration_ms"] // 1000 - SLEPT_S < 60
    assert project.cli("trace", "-o", "trace").returncode == 0
    begin_us = {
        entry["name"]: entry["ts"]
        for entry in json.loads((project.folder / "trace").read_text())["traceEvents"]
        if entry["ph"] == "X"
    }
    assert 0 <= (begin_us["after"] - begin_us["before"]) // 1_000_000 - SLEPT_S < 60
