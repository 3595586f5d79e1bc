"""Rare faults around a build: the build is that of plain make, and each test says which events are lost."""

from __future__ import annotations

import json
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ci.build_launcher import NotBuilt, build
from make_metrics.combine.record import Contents
from make_metrics.combine.run import events_of, gather
from make_metrics.files.paths import private_directory
from make_metrics.setup import fragment
from make_metrics.sweep.sweep import sweep
from tests.support import records
from tests.support.project import SOURCE, Project

MAKEFILE = """
all: a b
\t@echo done
a:
\techo simple
\t@echo $$((1 + 1)); exit 0
b:
\t-nothere
\t@$(MAKE) inner
inner:
\t@echo inner
"""
TARGETS = {"all", "a", "b", "inner"}


def compare(project: Project, *, text: str = MAKEFILE, **more: object) -> None:
    """Run a build without the include line and with it; fails if they differ."""
    outcomes = []
    for line in ("", None):
        project.write(text, line=line)
        done = project.make("-k", **more)  # type: ignore[arg-type]
        outcomes.append((done.returncode, done.stdout, done.stderr))
    assert outcomes[0] == outcomes[1]


def limited(which: int, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(which, (value, resource.getrlimit(which)[1]))


def test_thousands_of_open_descriptors(each: Project) -> None:
    count = min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 100)

    def open_many() -> None:
        limited(resource.RLIMIT_NOFILE, count + 100)()
        for _ in range(count):
            os.set_inheritable(os.dup(0), True)

    compare(each, preexec_fn=open_many, close_fds=False, stdin=subprocess.DEVNULL)
    assert {event.target for event in each.recorded()} == TARGETS


def test_few_descriptors(each: Project) -> None:
    compare(each, preexec_fn=limited(resource.RLIMIT_NOFILE, 12))


def test_address_space_limit(each: Project) -> None:
    compare(each, preexec_fn=limited(resource.RLIMIT_AS, 64 * 1024 * 1024))
    assert {event.target for event in each.recorded()} == TARGETS


def test_no_language_and_no_terminal(each: Project) -> None:
    env = {name: value for name, value in each.environment().items() if name in ("PATH", "MAKE_METRICS_HOME")}
    compare(each, env=env)
    assert {event.target for event in each.recorded()} == TARGETS


@pytest.mark.parametrize("name", [b"caf\xe9", b"with blank", b"new\nline", "ü".encode()])
def test_directory_with_any_name(each: Project, name: bytes) -> None:
    folder = os.path.join(os.fsencode(each.folder), name)  # noqa: PTH118
    os.makedirs(folder)  # noqa: PTH103
    each.folder = Path(os.fsdecode(folder))
    compare(each)
    assert {event.target for event in each.recorded()} == TARGETS
    done = each.cli("runs")
    assert (done.returncode, done.stderr) == (0, "")


def test_target_that_is_no_utf8(each: Project) -> None:
    path = each.write("all: caf\n")
    path.write_bytes(b"all: caf\xe9\ncaf\xe9:\n\t@echo made\n" + each.line.encode() + b"\n")
    assert each.make().stdout == "made\n"
    assert set(each.events()) == {"all", "caf\\xe9"}


@pytest.mark.asks_system
def test_interpreter_that_is_gone_or_broken(each: Project, tmp_path: Path, compiled: bool) -> None:
    each.edit_fragment(f".metrics.baked.python := {sys.executable}", f".metrics.baked.python := {tmp_path}/python")
    compare(each)
    assert not each.records()
    (tmp_path / "python").write_text("no program\n")
    if compiled:  # make cannot check whether a file is executable, and starts the launcher
        compare(each)
        assert {event.target for event in each.recorded()} == TARGETS
    else:  # the shell of the flags hook can, and runs the line
        compare(each, text=MAKEFILE.replace("-nothere", "-nothere || exit 4") + "$(if ,$(SHELL))\n")
        assert not each.records()


def test_store_that_is_locked(each: Project) -> None:
    """The build never waits for the store."""
    each.write("first:\n\t@:\n")
    each.make()
    assert list(each.events()) == ["first"]
    with sqlite3.connect(each.paths.store, isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        compare(each)
        holder.execute("ROLLBACK")
    holder.close()
    assert set(each.events()) == {"first", *TARGETS}


@pytest.mark.minute
def test_store_that_is_locked_for_a_minute(each: Project) -> None:
    """The same for a minute: `pytest -m minute` runs it. A command shows what was combined before, and says so."""
    for _ in range(20):  # enough for the walk to combine them
        each.write("first:\n\t@:\n")
        each.make()
    sweep(each.paths)
    with sqlite3.connect(each.paths.store, isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        until = time.monotonic() + 60
        while time.monotonic() < until:
            compare(each)
        done = each.cli("events")
        assert (done.returncode, done.stderr.count("\n"), _commands(done.stdout)) == (0, 1, {"first"})
        assert "is in use by another program" in done.stderr
        holder.execute("ROLLBACK")
    holder.close()
    assert _commands(each.cli("events").stdout) == {"first", *TARGETS}


def _commands(events: str) -> set[str]:
    return {json.loads(line)["properties"]["command"] for line in events.splitlines()}


def open_to_others(project: Project) -> None:
    """Give other users access to a project and its fragment, with an interpreter that is not below a home."""
    for path in (project.folder, *project.folder.parents, *project.paths.fragment.parents):
        if path.is_relative_to("/tmp") and path != Path("/tmp"):  # noqa: S108
            path.chmod(0o755)
    python = next(filter(os.path.exists, ("/usr/bin/python3.13", "/usr/bin/python3.12", "/usr/bin/python3.11")), "")
    if not python:
        pytest.skip("no interpreter for other users")
    project.edit_fragment(sys.executable, python)
    for file in (project.make_path, SOURCE / "make_metrics/entry.py"):
        if subprocess.run(["test", "-r", file], user=65534, check=False).returncode:
            pytest.skip("this checkout is in a home that is closed to other users")


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user, to whom limits apply")
@pytest.mark.parametrize("processes", [2, 3, 4])
def test_limit_of_processes(each: Project, processes: int) -> None:
    """Where the shim leaves no room for the line's process, it becomes the line: that is not recorded."""
    user = 100_000 + os.getpid()  # a user without any other process
    open_to_others(each)
    each.paths.state.mkdir()
    for path in (each.folder, each.paths.state):
        os.chown(path, user, user)
    outcomes = []
    for line in ("", None):
        each.write("all: one two\none:\n\techo one\ntwo:\n\techo $$((1 + 1)); exit 3\n", line=line)
        done = each.make(user=user, group=user, extra_groups=[], preexec_fn=limited(resource.RLIMIT_NPROC, processes))
        outcomes.append((done.returncode, done.stdout, done.stderr))
    assert outcomes[0] == outcomes[1]
    assert "2" in outcomes[0][1]
    recorded = {event.target for event in each.recorded()}
    assert recorded == (set() if processes == 2 else {"all", "one", "two"})


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_state_directory_of_another_user(each: Project) -> None:
    open_to_others(each)
    each.paths.state.mkdir()
    os.chown(each.folder, 65534, 65534)
    compare(each, user=65534)
    assert not list(each.paths.state.iterdir())


def library(folder: Path, text: str) -> str:
    """A library for LD_PRELOAD, compiled from functions that replace those of the C library."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("no compiler here")
    source, target = folder / "preloaded.c", folder / "preloaded.so"
    source.write_text(text)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", target, source], check=True)
    return str(target)


NO_LOCKS = """
#include <errno.h>
int NAME(int fd, int operation);
int NAME(int fd, int operation) { (void)fd; (void)operation; errno = ENOLCK; return -1; }
"""


def test_file_system_without_locks(each: Project, tmp_path: Path, compiled: bool) -> None:
    """No event is lost: each line writes a record of its own."""
    env = each.environment()
    if compiled:  # a static program loads no library
        (tmp_path / "no_locks.h").write_text(NO_LOCKS.replace("NAME", "__wrap_flock"))
        launcher = tmp_path / "launcher"
        try:
            build(launcher, flags=("-include", str(tmp_path / "no_locks.h"), "-Wl,--wrap=flock"))
        except NotBuilt as reason:
            pytest.skip(str(reason))
        each.edit_fragment(str(fragment.launcher()), str(launcher))
        each.edit_fragment("baked.copy := /", "baked.copy := /nowhere/")  # it is a copy of the other launcher
        for folder in (each.paths.state, each.paths.records, each.paths.makes):
            private_directory(folder)  # without them the launcher starts the Python shim
    else:
        env["LD_PRELOAD"] = library(tmp_path, NO_LOCKS.replace("NAME", "flock"))
    compare(each, env=env)
    assert "~" in "".join(path.name for path in each.records())
    events = {name: (event["goal"], event["make_level"]) for name, event in each.events().items()}
    assert events == {"all": (True, 0), "a": (False, 0), "b": (False, 0), "inner": (False, 1)}


# Each time the shim reads the real-time clock it is an hour earlier; its other clocks, and those of make, are right.
BACKWARDS = """
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int asked;
    int status = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME && strncmp(program_invocation_short_name, "python", 6) == 0)
        now->tv_sec -= 3600 * ++asked + getpid() % 1000 * 7200;
    return status;
}
"""


def test_clock_that_steps_back_while_lines_run(tmp_path: Path, home: Path, any_make: str) -> None:
    """No event is lost. The Python shim alone: the launcher is static and loads no library."""
    project = Project(tmp_path / "project", home, any_make, compiled=False)
    compare(project, env=project.environment(LD_PRELOAD=library(tmp_path, BACKWARDS)))
    events = project.events()
    assert set(events) == TARGETS
    assert all(0 <= event["recipe_ms"] <= event["duration_ms"] < 100_000 for event in events.values())


def test_clock_that_steps_back_between_lines() -> None:
    first = records.line(start=0, end=5)
    second = replace(records.line(start=10, end=15), wall_ns=first.wall_ns - 1_000_000_000_000)
    lines = [first, second]
    (event,) = events_of(gather("m", Contents(lines=lines)))
    assert (event.duration_ms, event.recipe_ms, event.start_wall_ns) == (15, 10, first.wall_ns)
