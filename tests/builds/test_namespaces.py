"""Makes in name spaces of their own, with the /proc of another one or without any: recorded by their names, or not."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.namespaces import BOTH, HIDDEN, NO_DEVICES, NO_PROC, PID, TIME, USER, needs
from tests.support.project import SOURCE, Project, started, until

Words = Sequence[str]
each_of = pytest.mark.parametrize(
    "inside", [PID, USER, HIDDEN, TIME, BOTH], ids=["pid", "user and pid", "hidden", "time", "time and pid"]
)


@pytest.mark.asks_system
@each_of
def test_a_run_in_a_name_space_is_shown_outside_at_once(each: Project, inside: Words) -> None:
    needs(*inside)
    each.write("all: one sub\n\t@:\none:\n\t@echo one\n\t@:\nsub:\n\t@$(MAKE) -s inner\ninner:\n\t@sleep 0.1\n")
    before = time.time()
    done = each.run([*inside, each.make_path, "-s"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "one\n", "")
    (run,) = _runs(each)
    assert (run["goals"], run["targets"], run["directory"]) == (["all"], 4, str(each.folder))
    assert 100 <= run["duration_ms"] < (time.time() - before) * 1000 + 20
    levels = {name: (event["make_level"], event["recipe_lines"]) for name, event in each.events().items()}
    assert levels == {"all": (0, 1), "one": (0, 2), "sub": (0, 1), "inner": (1, 1)}


@pytest.mark.asks_system
@pytest.mark.parametrize("inside", [PID, USER, TIME, BOTH], ids=["pid", "user and pid", "time", "time and pid"])
def test_a_make_in_a_name_space_belongs_to_the_make_above(each: Project, inside: Words) -> None:
    needs(*inside)
    each.write(f"all:\n\t@sleep 0.1\n\t@{' '.join(inside)} $(MAKE) -s inner\n\t@:\ninner:\n\t@sleep 0.1\n\t@:\n")
    done = each.make("-s")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (path,) = each.records()
    assert path.read_text().count("\nM ") == 2
    events = each.events()
    assert {name: (event["make_level"], event["recipe_lines"]) for name, event in events.items()} == {
        "all": (0, 3), "inner": (1, 2)
    }  # fmt: skip
    if inside is not USER:  # which target has started it stands among the descriptors of a process outside
        assert events["inner"]["parent_id"]
    assert events["inner"]["duration_ms"] <= events["all"]["duration_ms"] < 60_000
    assert _runs(each)[0]["duration_ms"] < 60_000


@pytest.mark.asks_system
@each_of
def test_a_make_that_still_runs_in_a_name_space_is_not_combined(each: Project, inside: Words) -> None:
    needs(*inside)
    each.write("all:\n\t@:\n\t@touch on; until test -e off; do sleep 0.02; done\n\t@:\n")
    env = {**each.environment(), "PYTHONPATH": str(SOURCE)}
    make = subprocess.Popen([*inside, each.make_path], cwd=each.folder, env=env, text=True)
    with started(make):
        until((each.folder / "on").exists)
        assert _runs(each) == []
        seen = each.run([*inside, sys.executable, "-m", "make_metrics", "runs", "--json"], env=env)
        assert seen.stdout == "[]\n"
        (each.folder / "off").touch()
        assert make.wait(60) == 0
    assert [run["targets"] for run in _runs(each)] == [1]
    assert each.events()["all"]["recipe_lines"] == 3


@pytest.mark.parametrize("inside", [PID, HIDDEN, NO_PROC], ids=["pid", "hidden", "no /proc"])
def test_a_build_is_the_same_whatever_proc_shows(each: Project, inside: Words) -> None:
    """The pids that /proc shows are not those of make and of the shim: what is read of make must be make's."""
    needs(*inside)
    text = """
    all:
        @echo $(shell printf 'one\\ntwo') | cat
        @printenv odd-name.x
        @trap | grep -c PIPE; : $(SHELL)
        ./missing
    """
    outcomes = []
    for line in ("", None):
        each.write(text, line=line)
        done = each.run([*inside, "env", "odd-name.x=1", each.make_path, "-k"])
        outcomes.append((done.returncode, done.stdout, done.stderr))
    assert outcomes[0] == outcomes[1]
    assert [event.recipe_lines for event in each.recorded()] == ([] if inside is NO_PROC else [4])


def test_without_proc_nothing_is_recorded_and_doctor_says_so(each: Project) -> None:
    """Nothing would tell one make from the next: each line would be a run of its own."""
    needs(*NO_PROC)
    each.write("all: one\n\t@echo all\none:\n\t@echo one; :\n\t@$(MAKE) -s inner\ninner:\n\t@echo inner\n")
    done = each.run([*NO_PROC, each.make_path, "-s"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "one\ninner\nall\n", "")
    assert not each.records()
    env = {**each.environment(), "PYTHONPATH": str(SOURCE)}
    said = each.run([*NO_PROC, sys.executable, "-m", "make_metrics", "doctor"], env=env)
    assert (
        "BAD   processes    nothing is recorded here, as /proc does not show the processes here: mount it"
        in said.stdout
    )
    assert said.returncode == 1


@pytest.mark.parametrize("flags", ["", ".SHELLFLAGS = -fc\nSHELL = /bin/bash\nexport SHELL\n"], ids=["shell", "flags"])
def test_without_devices_nothing_of_ours_makes_one(each: Project, flags: str) -> None:
    """Root would make /dev/null with a redirection, as a file: make by itself does not."""
    needs(*NO_DEVICES)
    each.write(f"{flags}all: one\n\t@echo all\none:\n\t@echo one; :\n\t@$(MAKE) -s inner\ninner:\n\t@echo inner\n")
    done = each.run([*NO_DEVICES, each.make_path, "-s"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "one\ninner\nall\n", "")


@pytest.mark.parametrize(
    ("dev", "why"),
    [(":", "there is no /dev/null"), ("echo >/dev/null", "/dev/null is not a device")],
    ids=["none", "a file"],
)
def test_without_devices_setup_is_the_same_and_doctor_says_what_is_missing(each: Project, dev: str, why: str) -> None:
    """What a chroot without /dev sets up serves outside too, where they share the home: nothing of it may be less."""
    inside = (*NO_DEVICES[:-2], NO_DEVICES[-2].replace(" && ", f" && {dev} && ", 1).removesuffix(" && ls /dev"), "sh")
    needs(*inside)
    each.write("all:\n\t@echo all\n", line="")
    command = [sys.executable, "-m", "make_metrics"]
    env = {**each.environment(), "PYTHONPATH": str(SOURCE)}
    assert each.run([*command, "setup", "--add"], env=env).returncode == 0
    fragment = each.paths.fragment.read_text()
    assert each.run([*inside, *command, "setup"], env=env).returncode == 0
    assert each.paths.fragment.read_text() == fragment
    said = each.run([*inside, *command, "doctor"], env=env)
    bad = [line for line in said.stdout.splitlines() if line.startswith("BAD")]
    assert (len(bad), said.returncode, said.stderr) == (1, 1, ""), said.stdout
    assert bad[0].startswith(f"BAD   devices      lines are not recorded here, as {why}: ")
    assert "mknod -m 666 /dev/null c 1 3" in bad[0]


def _runs(project: Project) -> list[dict[str, Any]]:
    done = project.cli("runs", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    return list(json.loads(done.stdout))
