"""Rarer faults of what surrounds us: the build is as plain make, and what is lost is what the test says."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shim import combine
from shim.record import Contents
from tests import samples
from tests.project import Project

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


def both(project: Project, **more: object) -> None:
    """Run a build without the line and with it; they must not differ."""
    seen = []
    for line in ("", None):
        project.write(MAKEFILE, line=line)
        done = project.make("-k", **more)  # type: ignore[arg-type]
        seen.append((done.returncode, done.stdout, done.stderr))
    assert seen[0] == seen[1]


def limited(which: int, value: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(which, (value, resource.getrlimit(which)[1]))


def test_thousands_of_open_descriptors(each: Project) -> None:
    count = min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 100)

    def open_many() -> None:
        limited(resource.RLIMIT_NOFILE, count + 100)()
        for _ in range(count):
            os.set_inheritable(os.dup(0), True)

    both(each, preexec_fn=open_many, close_fds=False, stdin=subprocess.DEVNULL)
    assert {event.target for event in each.recorded()} == TARGETS


def test_few_descriptors(each: Project) -> None:
    both(each, preexec_fn=limited(resource.RLIMIT_NOFILE, 12))


def test_address_space_limit(each: Project) -> None:
    both(each, preexec_fn=limited(resource.RLIMIT_AS, 64 * 1024 * 1024))
    assert {event.target for event in each.recorded()} == TARGETS


def test_no_language_and_no_terminal(each: Project) -> None:
    env = {name: value for name, value in each.environment().items() if name in ("PATH", "MAKE_METRICS_HOME")}
    both(each, env=env)
    assert {event.target for event in each.recorded()} == TARGETS


@pytest.mark.parametrize("name", [b"caf\xe9", b"with blank", b"new\nline", "ü".encode()])
def test_directory_with_any_name(each: Project, name: bytes) -> None:
    folder = os.path.join(os.fsencode(each.folder), name)  # noqa: PTH118
    os.makedirs(folder)  # noqa: PTH103
    each.folder = Path(os.fsdecode(folder))
    both(each)
    assert {event.target for event in each.recorded()} == TARGETS
    done = each.cli("runs")
    assert (done.returncode, done.stderr) == (0, "")


def test_target_that_is_no_utf8(each: Project) -> None:
    path = each.write("all: caf\n")
    path.write_bytes(b"all: caf\xe9\ncaf\xe9:\n\t@echo made\n" + each.line.encode() + b"\n")
    assert each.make().stdout == "made\n"
    assert set(each.events()) == {"all", "caf\\xe9"}


def test_interpreter_that_is_gone_or_broken(each: Project, tmp_path: Path, compiled: bool) -> None:
    text = each.paths.fragment.read_text()
    line = next(line for line in text.splitlines() if line.startswith(".metrics.baked.python"))
    each.paths.fragment.write_text(text.replace(line, f".metrics.baked.python := {tmp_path}/python"))
    both(each)
    assert not each.records()
    if compiled:  # make itself cannot ask whether a file may be executed
        (tmp_path / "python").write_text("no program\n")
        both(each)
        assert not each.records()


def test_store_that_is_locked(each: Project) -> None:
    """The build never waits for the store; a report says in one line that it has to."""
    each.write("first:\n\t@:\n")
    each.make()
    assert list(each.events()) == ["first"]
    with sqlite3.connect(each.paths.store, isolation_level=None) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        both(each)
        holder.execute("ROLLBACK")
    holder.close()
    assert set(each.events()) == {"first", *TARGETS}


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
def test_state_directory_of_another_user(each: Project) -> None:
    for folder in (*each.folder.parents, each.folder):
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):  # noqa: S108
            folder.chmod(0o755)
    each.paths.state.mkdir()
    os.chown(each.folder, 65534, 65534)
    both(each, user=65534)
    assert not list(each.paths.state.iterdir())


def test_file_system_without_locks(tmp_path: Path, home: Path, any_make: str) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no compiler here")
    source, library = tmp_path / "nolock.c", tmp_path / "nolock.so"
    source.write_text("#include <errno.h>\nint flock(int f, int o) { (void)f; (void)o; errno = ENOLCK; return -1; }\n")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    project = Project(tmp_path / "project", home, any_make, compiled=False)
    both(project, env=project.environment(LD_PRELOAD=str(library)))
    assert {path.name.count("~") for path in project.records()} == {1}
    assert set(project.events()) == TARGETS


def test_clock_that_steps_back_during_a_recipe() -> None:
    first = samples.line(start=0, end=5)
    second = replace(samples.line(start=10, end=15), wall_ns=first.wall_ns - 1_000_000_000_000)
    lines = [first, second]
    (event,) = combine.events(combine.gather("m", Contents(lines=lines)))
    assert (event.duration_ms, event.recipe_ms, event.start_wall_ns) == (15, 10, first.wall_ns)
