"""Faults of the shim, its home and its environment: output and exit status of the build are those of plain make."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from make_metrics.crashes import log as crash_log
from tests.support.broken_copy import copy_package, use_copy
from tests.support.project import Project

MAKEFILE = """
all: simple compound nested
\t@echo done
simple:
\techo simple
\t-nothere
compound:
\t@echo "compound $$((1 + 1))"; exit 0
\t-@exit 3
nested:
\t@$(MAKE) --no-print-directory inner
inner:
\t@echo inner
fails:
\t@exit 4
"""


def outcome(project: Project, *words: str, **more: object) -> tuple[int, str, str]:
    done = project.make(*words, **more)  # type: ignore[arg-type]
    return done.returncode, done.stdout, done.stderr


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    """A small file system, mounted at the folder; needs root."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts file systems")


@pytest.fixture
def same(each: Project) -> Callable[..., None]:
    """A function that compares a build with the include line and without it."""

    def compare(text: str = MAKEFILE, *, failures: bool = False, **more: object) -> None:
        goals = (("-k", "all", "fails"),) if "\nfails:" in text else (("-k",),)
        each.write(text, line="")
        plain = [outcome(each, *words, **more) for words in goals]
        each.write(text)
        assert [outcome(each, *words, **more) for words in goals] == plain
        # Only a damaged shim is logged as a failure; what the machine or the build does to it is not.
        assert failures or not crash_log.entries(each.paths)

    return compare


def test_the_comparison_sees_a_difference(same: Callable[..., None]) -> None:
    with pytest.raises(AssertionError):
        same("all:\n\t@wc -c < Makefile\n")


def test_without_a_fault_every_target_is_recorded(same: Callable[..., None], each: Project) -> None:
    same()
    assert {event.target for event in each.recorded()} >= {"all", "simple", "compound", "nested", "inner", "fails"}


@needs_root
def test_read_only_home(same: Callable[..., None], each: Project) -> None:
    home = each.home / "read-only"
    with mounted(home, "size=64k"):
        subprocess.run(["mount", "-o", "remount,ro", home], check=True)
        same(env=each.environment(MAKE_METRICS_HOME=str(home), HOME=str(home)))
    assert not each.records()


@needs_root
def test_full_disk(same: Callable[..., None], each: Project) -> None:
    home = each.home / "full"
    with mounted(home, "size=64k"):
        subprocess.run(["dd", "if=/dev/zero", f"of={home}/filler"], stderr=subprocess.DEVNULL, check=False)
        same(env=each.environment(MAKE_METRICS_HOME=str(home)))
        assert {path.read_bytes() for path in home.rglob("*.rec")} <= {b""}, "a part of an entry"
    assert not each.records()


@pytest.mark.parametrize("home_path", ["/nowhere/at/all", "", "relative", "/dev/null"])
def test_no_home(same: Callable[..., None], each: Project, home_path: str) -> None:
    each.edit_fragment(f".metrics.baked.state := {each.paths.state}", ".metrics.baked.state :=")
    env = each.environment(HOME=home_path)
    if home_path:
        env["MAKE_METRICS_HOME"] = home_path
    else:
        del env["MAKE_METRICS_HOME"], env["HOME"]
        env["XDG_STATE_HOME"] = "/nowhere/at/all"
    same(env=env)
    assert not Path("/nowhere").exists()
    assert not (each.folder / "relative").exists()


def test_a_state_directory_that_is_a_symbolic_link(same: Callable[..., None], each: Project) -> None:
    (each.home / "elsewhere").mkdir()
    each.paths.state.symlink_to(each.home / "elsewhere")
    same()
    assert not list((each.home / "elsewhere").iterdir())


def test_file_size_limit(same: Callable[..., None], each: Project) -> None:
    same(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)))
    assert not each.recorded()


@pytest.mark.parametrize("broken", ["line.py", "record_format.py", "recorder.py", "append.py", "arguments.py"])
@pytest.mark.parametrize("how", ["gone", "empty", "cut"])
def test_damaged_shim(same: Callable[..., None], each: Project, tmp_path: Path, broken: str, how: str) -> None:
    copy = copy_package(tmp_path)
    module = copy / "shim/make_metrics/hot" / broken
    text = module.read_text()
    module.unlink() if how == "gone" else module.write_text("" if how == "empty" else text[: len(text) // 2])
    use_copy(each, copy)
    # Where the shim is damaged the shell runs simple lines too, and its message for a missing program is another.
    same(MAKEFILE.replace("\t-nothere\n", ""), failures=True)


def test_environment_that_is_deleted_by_the_build(each: Project, tmp_path: Path) -> None:
    copy = copy_package(tmp_path / "environment")
    (copy / "bin").mkdir()
    (copy / "bin/python3").symlink_to(sys.executable)
    use_copy(each, copy)
    each.edit_fragment(f"python := {sys.executable}", f"python := {copy}/bin/python3")
    each.write(
        f"all: clean\n\techo after\n\t@echo 'and now'; true\nclean:\n\t@echo before\n\trm -rf {copy}\n\techo gone\n"
    )
    done = each.make("-j2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"before\nrm -rf {copy}\necho gone\ngone\necho after\nafter\nand now\n"
    assert not copy.exists()
    assert each.make().stdout == done.stdout, "a fragment without its shim changes nothing"


@pytest.mark.asks_system
def test_interpreter_without_psutil(same: Callable[..., None], each: Project, tmp_path: Path, compiled: bool) -> None:
    copy = copy_package(tmp_path)
    (copy / "shim/psutil.py").write_text("raise ImportError('damaged')\n")
    use_copy(each, copy)
    same()
    assert each.records()
    described = any(b"\nM " in path.read_bytes() for path in each.records())
    assert described == compiled, "the launcher's walk needs no psutil, the Python walk finds nothing without"


RECIPES = {
    "changes directory": "all:\n\t@cd / && pwd\n\t@pwd | sed 's,.*/,,'\n",
    "unsets PATH": "all:\n\t@unset PATH; /bin/echo $$PATH\n\t@echo still\n",
    "has make unset PATH": "unexport PATH\nall:\n\techo simple\n\t@nothere-at-all; echo $$?\n\tnothere-at-all\n",
    "exports an empty PATH": "export PATH :=\nall:\n\t/bin/echo simple\n\tls\n",
    "exports another PATH": "export PATH := /nowhere:$(PATH)\nall:\n\techo simple\n\tnothere\n",
    "closes descriptors": "all:\n\t@exec 0<&- 1>&- 2>&-; true\n\t@exec 1>&2; echo on stderr\n\t@echo still\n",
    "empties the environment": "all:\n\t@env -i /usr/bin/env\n\t@env -i /bin/sh -c 'echo empty'\n",
    "exports another home": "export HOME := /nowhere\nexport MAKE_METRICS_HOME := relative\nall:\n\t@echo $$HOME\n",
    "kills its shell": "all:\n\t@kill -9 $$$$\n",
    "leaves a process behind": "all:\n\t@sleep 5 >/dev/null 2>&1 & echo left\n",
}  # fmt: skip


@pytest.mark.parametrize("text", RECIPES.values(), ids=RECIPES.keys())
def test_a_recipe_may_break_its_own_environment(same: Callable[..., None], text: str) -> None:
    same(text)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- >&- 2>&-"])
def test_make_without_standard_streams(each: Project, closed: str) -> None:
    text = "all:\n\t@echo one > out || echo failed >> out\n\t@echo two >> out; ls /proc/self/fd >> out\n\techo\n"
    outcomes = []
    for line in ("", None):
        each.write(text, line=line)
        done = each.run(["sh", "-c", f"{each.make_path} {closed}"])
        outcomes.append((done.returncode, done.stdout, done.stderr, (each.folder / "out").read_text()))
    assert outcomes[0] == outcomes[1]


def test_under_sudo_nothing_is_recorded(project: Project) -> None:
    if os.geteuid() != 0:
        pytest.skip("not root")
    project.write("all:\n\t@:\n")
    env = project.environment(SUDO_UID="12345", SUDO_GID="12345", SUDO_USER="somebody")
    assert project.make(env=env).returncode == 0
    assert not project.records()
