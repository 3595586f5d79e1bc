"""The main job: one include line, and every target is timed and has one event. Real makes, real processes."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pexpect
import psutil
import pytest

from make_metrics.sweep.sweep import sweep
from tests.support.broken_copy import without_proc
from tests.support.project import ROOT, Project, started, until
from tests.support.terminals import NONE, has_terminals


def test_every_target_of_a_nested_parallel_failing_build_has_one_event(each: Project) -> None:
    each.write("""
        all: a b sub
        a:
        \t@sleep 0.2
        \t@sleep 0.1
        b:
        \t@sleep 0.15
        \t@until test -e nested/on; do sleep 0.01; done; sleep 0.1; exit 3
        sub:
        \t@$(MAKE) -C nested
        """)
    each.write("inner: leaf\n\t@sleep 0.1\nleaf:\n\t@touch on; sleep 0.2\n", "nested/Makefile")
    done = each.make("-j4")
    assert done.returncode == 2
    assert "Error 3" in done.stderr
    events = each.events()
    assert sorted(events) == ["a", "all", "b", "inner", "leaf", "sub"]
    assert {name: event["exit_status"] for name, event in events.items()} == {
        "a": 0, "all": 2, "b": 3, "inner": 0, "leaf": 0, "sub": 0,
    }  # fmt: skip
    assert {name: event["make_level"] for name, event in events.items() if event["make_level"]} == {
        "inner": 1, "leaf": 1,
    }  # fmt: skip
    assert [name for name, event in events.items() if event["goal"]] == ["all"]
    assert {name: event["recipe_lines"] for name, event in events.items()} == {
        "a": 2, "all": 0, "b": 2, "inner": 1, "leaf": 1, "sub": 1,
    }  # fmt: skip
    assert all(event["parallel"] for event in events.values())
    for name, slept in {"a": 300, "b": 250, "leaf": 200, "inner": 100}.items():
        assert slept <= events[name]["recipe_ms"] <= events[name]["duration_ms"], (name, events[name])
    assert events["all"]["duration_ms"] >= max(event["duration_ms"] for event in events.values())


SLEEPER = """
all: a b
a:
\t@{now} >> a.times; sleep 0.2; {now} >> a.times
\t@{now} >> a.times; sleep 0.1; {now} >> a.times
b:
\t@{now} >> b.times; sleep 0.25; {now} >> b.times; exit 3
"""


def _slept(project: Project) -> dict[str, tuple[float, float]]:
    """Begin and end of each target of SLEEPER by the recipes' own clock, in milliseconds; removes the files."""
    spans = {}
    for name in ("a", "b"):
        times = [int(line) / 1e6 for line in (project.folder / f"{name}.times").read_text().split()]
        spans[name] = (times[0], times[-1])
        (project.folder / f"{name}.times").unlink()
    return {**spans, "all": (min(start for start, _ in spans.values()), max(end for _, end in spans.values()))}


def test_durations_are_what_the_recipes_slept(project: Project) -> None:
    """Within 20 ms and the time that starting and ending any process takes; a busy machine gets several tries."""
    now = "date +%s%N"
    if not project.run(["sh", "-c", now]).stdout.strip().isdigit():
        now = f"{sys.executable} -I -S -c 'import time; print(time.time_ns())'"
    project.write(SLEEPER.format(now=now))
    tries: list[dict[str, float]] = []
    give_up = time.monotonic() + 100
    while not tries or time.monotonic() < give_up:
        began = time.time_ns()
        first, last = project.run(["sh", "-c", f"{now}; {now}"]).stdout.split()
        startup = (time.time_ns() - began - int(last) + int(first)) / 1e6
        project.make("-j4")
        events = [json.loads(line)["properties"] for line in project.cli("events").stdout.splitlines()]
        measured = {event["command"]: event["duration_ms"] for event in events[3 * len(tries) :]}
        added = {name: measured[name] - (end - start) for name, (start, end) in _slept(project).items()}
        if all(-1 <= more <= 20 + startup for more in added.values()):
            return
        tries.append(added)
    pytest.fail(f"never within 20 ms: {tries}")


def test_the_duration_of_a_goal_includes_its_prerequisites(each: Project) -> None:
    each.write("top: dep\n\t@sleep 0.05\ndep:\n\t@sleep 0.2\n")
    assert each.make().returncode == 0
    events = each.events()
    assert (events["top"]["goal"], events["dep"]["goal"]) == (True, False)
    assert events["top"]["duration_ms"] >= 250
    assert events["top"]["recipe_ms"] >= 50
    assert events["dep"]["duration_ms"] >= 200
    assert events["dep"]["duration_ms"] + events["top"]["recipe_ms"] <= events["top"]["duration_ms"] + 1  # rounded


def test_each_of_several_goals_has_the_duration_of_its_own_prerequisites(each: Project) -> None:
    each.write("""
        one: a
        two: b
        a:
        \t@sleep 0.2
        b:
        \t@sleep 0.1
        """)
    assert each.make("one", "two", "-j2").returncode == 0
    events = each.events()
    assert sorted(name for name, event in events.items() if event["goal"]) == ["one", "two"]
    assert events["one"]["duration_ms"] == events["a"]["duration_ms"]
    assert events["two"]["duration_ms"] == events["b"]["duration_ms"]


def test_an_ignored_failure_has_status_0(each: Project) -> None:
    each.write("all: a b\n\t@true\na:\n\t-@exit 3\nb:\n\t-@exit 4\n\t@true\n")
    assert each.make("-j2").returncode == 0
    assert {name: event["exit_status"] for name, event in each.events().items()} == {"a": 0, "b": 0, "all": 0}


def test_a_hundred_targets_in_sixty_four_jobs_have_one_event_each(project: Project) -> None:
    names = [f"t{number}" for number in range(100)]
    project.write(f"all: {' '.join(names)}\n" + "\n".join(f"{name}:\n\t@:\n\t@:" for name in names))
    assert project.make("-j64", "all").returncode == 0
    events = project.events()
    assert sorted(events) == sorted([*names, "all"])
    assert {events[name]["recipe_lines"] for name in names} == {2}


@pytest.mark.asks_system
def test_killed_make_leaves_an_event_for_every_finished_line(project: Project, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    project.write(f"""
        all: a b c
        a:
        \t@:
        b:
        \t@:
        \t@echo waiting; read line < {gate}
        c:
        \t@:
        """)
    with started(project.start()) as make:
        assert make.stdout is not None
        assert make.stdout.readline() == "waiting\n"
        shims = psutil.Process(make.pid).children()
        make.kill()
        make.wait(60)
        assert [project.cli("events").returncode for _ in range(2)] == [0, 0]  # combined while a line goes on
        gate.write_text("go\n")
        psutil.wait_procs(shims, timeout=60)
    events = project.events()
    assert sorted(events) == ["a", "all", "b"]
    assert events["b"]["recipe_lines"] == 2
    assert (events["a"]["exit_status"], events["b"]["exit_status"], events["all"]["exit_status"]) == (0, -9, -9)


def test_a_line_that_kills_its_make_is_recorded(project: Project) -> None:
    """A line that ends before make is dead, some microseconds later, cannot know that make was killed."""
    dead = "while kill -0 $(parent) 2>/dev/null; do :; done"
    project.write(f"parent := $(shell echo $$PPID)\nall:\n\t@kill -KILL $(parent); {dead}; echo > gone\n")
    for attempt in range(1, 6):
        with started(project.start()) as make:
            assert make.wait(60) == -signal.SIGKILL
        until(lambda: len(project.recorded()) == attempt)  # noqa: B023 - called at once
    assert {(event.target, event.exit_status) for event in project.recorded()} == {("all", -9)}


def test_a_line_that_kills_its_make_at_once_belongs_to_it(project: Project) -> None:
    """Make is dead before the line's bookkeeping begins, which waits until the line runs."""
    dead = "while kill -0 $(parent) 2>/dev/null; do :; done"
    project.write(f"parent := $(shell echo $$PPID)\nall:\n\t@:\n\t@kill -KILL $(parent); {dead}; echo > gone\n")
    for _ in range(5):
        with started(project.start()) as make:
            assert make.wait(60) == -signal.SIGKILL
        until((project.folder / "gone").exists)
        (project.folder / "gone").unlink()
    until(lambda: sum(event.recipe_lines for event in project.recorded()) == 10)
    assert [(event.target, event.recipe_lines) for event in project.recorded()] == [("all", 2)] * 5


def interrupt(project: Project) -> tuple[str, int | None]:
    """Type Ctrl-C during a recipe; what make prints, and the signal that it dies of."""
    path, env = project.make_path, project.environment()
    child = pexpect.spawn(path, cwd=str(project.folder), env=env, encoding="utf-8", timeout=60)
    child.expect("ready")
    # A shell that is interrupted between fork and exec loses the signal, with plain make too.
    make = psutil.Process(child.pid)
    until(lambda: any(process.name() == "sleep" for process in make.children(recursive=True)))
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    return re.sub(r"\s+", " ", child.before or "").strip(), child.signalstatus


@pytest.mark.parametrize("measured", [False, True], ids=["plain", "measured"])
def test_interrupt_at_a_terminal(each: Project, measured: bool) -> None:
    each.write("all: a\na:\n\t@echo ready; sleep 60\n", line=None if measured else "")
    give_up = time.monotonic() + 100
    while True:
        output, number = interrupt(each)
        if "wait: No child processes" not in output or time.monotonic() > give_up:
            break
        # On a busy machine make 4.4 loses a race with the end of its child, with plain make too.
        shutil.rmtree(each.paths.records, ignore_errors=True)
    assert re.fullmatch(r"(\^C ?)?make: \*\*\* \[Makefile:3: a\] Interrupt", output), output
    assert number == signal.SIGINT
    if measured:
        assert {name: event["exit_status"] for name, event in each.events().items()} == {"a": -2, "all": -2}


def test_terminated_make_ends_the_recipe(each: Project) -> None:
    each.write("all:\n\t@echo $$$$; exec sleep 60\n")
    with started(each.start()) as make:
        assert make.stdout is not None
        recipe = psutil.Process(int(make.stdout.readline()))
        make.terminate()
        assert make.wait(60) == -signal.SIGTERM
        psutil.wait_procs([recipe], timeout=60)
        assert not recipe.is_running()
    assert each.events()["all"]["exit_status"] == -15


@pytest.mark.parametrize(
    "before",
    [["env", "-i", f"PATH={os.environ['PATH']}"], ["nice"], ["sh", "-c", '"$@"; exit $?', "sh"], ["timeout", "60"],
     ["nohup"], ["setsid", "-w"], ["sudo", "-E"], ["script", "-qec"]],
    ids=lambda words: words[0],
)  # fmt: skip
def test_the_walk_finds_make_behind_other_programs(project: Project, before: list[str]) -> None:
    if not shutil.which(before[0]):
        pytest.skip(f"no {before[0]} here")
    if before[0] == "script" and not has_terminals():
        pytest.skip(NONE)
    command = [project.make_path, "outer"]
    if before[0] == "script":
        before, command = [*before, " ".join(command)], ["/dev/null"]
    project.write(f"""
        outer: dep
        \t@env -i PATH="$$PATH" {project.make_path} -C sub
        dep:
        \t@:
        """)
    project.write("inner:\n\t@:\n", "sub/Makefile")
    done = project.run([*before, *command])
    assert done.returncode == 0, done.stderr
    events = project.events()
    assert {name: (event["goal"], event["make_level"]) for name, event in events.items()} == {
        "outer": (True, 0), "dep": (False, 0), "inner": (False, 1),
    }  # fmt: skip


def test_without_a_fragment_the_include_line_changes_nothing(project: Project) -> None:
    project.write("all:\n\t@echo [$(MAKEFILE_LIST)]\n", line="-include /nowhere/metrics.mk")
    assert project.make().stdout.startswith("[Makefile")
    assert not project.records()


@pytest.mark.parametrize("how", ["variable", "command"])
def test_off_leaves_the_makefile_as_it_is(project: Project, how: str) -> None:
    project.write("all:\n\t@echo $(SHELL) $(.SHELLFLAGS) [$(MAKEFILE_LIST)]\n")
    env = project.environment(**({"MAKE_METRICS": "off"} if how == "variable" else {}))
    if how == "command":
        assert project.cli("off").returncode == 0
    assert project.make(env=env).stdout.split() == ["/bin/sh", "-c", "[Makefile]"]
    assert not project.records()
    if how == "command":
        assert project.cli("on-this-machine").returncode == 0
        project.make()
        assert list(project.events()) == ["all"]


def test_the_fragment_of_a_checkout_works_with_and_without_set_up(each: Project) -> None:
    each.write("all:\n\t@echo [$(MAKEFILE_LIST)]\n", line=f"include {ROOT}/make_include/metrics.mk")
    assert each.make().stdout == "[Makefile]\n"
    assert each.recorded()[0].target == "all"
    each.paths.fragment.unlink()
    command = each.folder / "environment/bin"
    command.mkdir(parents=True)
    (command / "make-metrics").touch(0o755)
    (command / "python3").symlink_to(sys.executable)
    env = each.environment(PATH=f"{command}:{os.environ['PATH']}")
    assert each.make(env=env).stdout == "[Makefile]\n"
    assert len(each.records()) == 2


def test_no_process_stays_behind(project: Project) -> None:
    project.write("all:\n\t@:\n")
    mark = f"MARK={project.folder}"
    assert project.run(["env", mark, project.make_path]).returncode == 0
    others = [process for process in psutil.process_iter() if process.pid != os.getpid()]
    assert [process for process in others if mark in _environment(process)] == []


def _environment(process: psutil.Process) -> list[str]:
    try:
        return [f"{name}={value}" for name, value in process.environ().items()]
    except psutil.Error:
        return []


def test_a_later_run_combines_the_waiting_records(project: Project) -> None:
    project.write(f"""
        one:
        \t@:
        wait:
        \t@for try in $$(seq 1600); do \\
        \t  set -- {project.paths.records}/*.rec; [ $$# -gt 3 ] || exit 0; sleep 0.05; \\
        \tdone; exit 1
        """)
    for _ in range(16):
        project.make("one")
    assert len(project.records()) == 16
    assert project.make("wait").returncode == 0
    assert project.cli("events").stdout.count('"command": "one"') == 16


def test_later_lines_do_not_walk(project: Project) -> None:
    project.write("all: a b c d\na b c d:\n" + "\t@:\n" * 5)
    assert project.make("-j4").returncode == 0
    # On a busy machine a line that does not get the record's lock writes a record of its own.
    entries = [entry[:1] for record in project.records() for entry in record.read_bytes().splitlines()]
    assert entries.count(b"M") == 1
    assert [event.recipe_lines for event in project.recorded()].count(5) == 4


def has_namespaces() -> bool:
    """Whether a pid namespace with a /proc of its own can be made: by root, and not in every chroot."""
    words = ["unshare", "--pid", "--fork", "--mount-proc", "true"]
    return bool(shutil.which(words[0])) and subprocess.run(words, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not has_namespaces(), reason="no pid namespace of one's own here")
def test_two_makes_with_the_same_pid_are_two_runs(project: Project) -> None:
    project.write("one:\n\t@:\ntwo:\n\t@:\n")
    script = f"""
        echo 500 > /proc/sys/kernel/ns_last_pid; {project.make_path} one
        sleep 0.05
        echo 500 > /proc/sys/kernel/ns_last_pid; {project.make_path} two
    """
    done = project.run(["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script])
    assert done.returncode == 0, done.stderr
    pids = {path.name.split(".")[1] for path in project.records()}
    assert len(project.records()) == 2
    assert pids == {"501"}, "the pid was not used again"
    assert {event.target: event.goal for event in project.recorded()} == {"one": True, "two": True}


def test_without_proc_the_walk_names_the_make(tmp_path: Path, home: Path) -> None:
    project = without_proc(Project(tmp_path / "project", home, compiled=False), tmp_path)
    project.write("all: a b\na:\n\t@:\n\t@:\nb:\n\t@$(MAKE) inner\ninner:\n\t@:\n")
    assert project.make("-j4").returncode == 0
    assert {path.name.split(".")[0] for path in project.records()} == {"00000000"}
    events = {event.target: (event.recipe_lines, event.make_level, event.goal) for event in project.recorded()}
    assert events == {"all": (0, 0, True), "a": (2, 0, False), "b": (1, 0, False), "inner": (1, 1, False)}
    assert not list(project.paths.makes.glob("unnamed*"))


def test_the_git_facts_are_those_of_the_beginning_of_the_run(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*words: str) -> str:
        done = project.run(["git", "-c", "user.name=n", "-c", "user.email=e@example.org", *words])
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    git("init", "-q", "-b", "main")
    project.write("all:\n\t@:\n")
    git("add", "Makefile")
    git("commit", "-q", "-m", "one", "--date", "2021-05-17T19:44:09+02:00")
    before = git("show", "-s", "--format=%cI", "HEAD")
    project.make()
    git("checkout", "-q", "-b", "other")
    git("commit", "-q", "--allow-empty", "-m", "two")
    monkeypatch.setattr("make_metrics.project.git_command._LIMIT_S", 60)
    assert sweep(project.paths).combined == 1
    event = project.events()["all"]
    assert (event["git_commit_time"], event["git_checked_out_master"]) == (before, True)


@pytest.mark.asks_system
@pytest.mark.parametrize(
    "tail", ["", "$(if ,$(SHELL))\n", "SHELL := /bin/bash\n"], ids=["shell-hook", "flags-hook", "bash"]
)
def test_a_recipe_that_kills_programs_by_name_does_not_hit_ours(each: Project, tail: str) -> None:
    """`pkill -f` of a server that does not run has status 1: no process of ours has that name on its command line."""
    if not shutil.which("pkill"):
        pytest.skip("no pkill here")
    is_compiled = ".metrics.baked.launcher := /" in each.paths.fragment.read_text()
    if "bash" in tail and not is_compiled:
        pytest.skip("the Python shim cannot change its command line, and bash becomes pkill: docs/platforms.md")
    name = f"server-{os.getpid()}-{each.folder.name}"  # no other program on this machine is called so
    text = f"all: stop-{name}\n\t@echo started anew\nstop-{name}:\n\t-pkill -f '[s]erver-{name[7:]}'\n{tail}"
    each.write(text, line="")
    plain = each.make()
    each.write(text)
    assert "Error 1 (ignored)" in plain.stderr
    each.make("all")  # its walk has the goal's name
    done = each.make()
    assert (done.returncode, done.stdout) == (plain.returncode, plain.stdout) == (0, plain.stdout)
    if is_compiled:
        assert done.stderr == plain.stderr
