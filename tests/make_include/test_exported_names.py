"""Variables that a shell between make and a line would drop or change reach the line as make exports them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ci import build_launcher
from make_metrics.setup import fragment
from tests.support.project import Project

HOOKS = {"flags": "$(if ,$(SHELL))\n", "shell": ""}
LINE = "all: ; @env\n"
MAKEFILES = {
    "a dot": "export a.b = 1\n",
    "a dash": "export CC_x86_64-linux := gcc -m64\n",
    "a digit in front": "export 2x = 1\n",
    "not ASCII": "export größe = 1\n",
    "among others": "one = 1\na-b = 2\nexport one a-b\n",
    "conditional": "export a.b ?= 1\nexport a.b += 2\n",
    "of a target": "all: export a.b = 1\n",
    "computed": "name = a.b\nexport $(name) = 1\n",
    "evaluated": "define give\nexport $1 = $2\nendef\n$(eval $(call give,a.b,1|2 & % 3))\n",
    "special characters": "export a.b = %25 |'\"$$x \\\\ / = é\n",
    "overridden": "override export a-b = 1\n",
    "with a tab": "export\ta-b = 1\n",
    "continued": "export \\\n  a-b = 1\n",
    "empty": "export a-b =\n",
    "not exported": "a-b = 1\nexport plain = 2\n",
    "no PWD": "unexport PWD\n",
    "no SHLVL": "unexport SHLVL\n",
    "another PWD": "export PWD = /elsewhere\n",
    "nothing": "",
}


def printed(project: Project, text: str, *words: str, **more: str) -> list[list[str]]:
    """What a line of a makefile's finds in its environment, without the include line and with it, by name."""
    found = []
    # As under a shell, make's own environment has PWD and SHLVL.
    for line in ("", None):
        project.write(f"{text}{LINE}", line=line)
        env = project.environment(PWD=str(project.folder), SHLVL="2", **more)
        done = project.make("-s", *words, env=env)
        assert (done.returncode, done.stderr) == (0, "")
        found.append(sorted(done.stdout.splitlines()))
    return found


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("case", MAKEFILES)
def test_a_line_has_what_the_makefile_exports(each: Project, hook: str, case: str) -> None:
    plain, ours = printed(each, HOOKS[hook] + MAKEFILES[case])
    assert ours == plain
    assert len(each.recorded()) == 1


def test_a_name_from_the_environment_that_is_no_shell_s_reaches_the_line(each: Project) -> None:
    env = {"2x": "1", "a.b": "2", "BASH_FUNC_f%%": "() { :; }"}
    plain, ours = printed(each, HOOKS["flags"], **env)
    assert ours == plain
    assert {"2x=1", "a.b=2"} <= set(plain)


def test_an_option_may_export_it_too(each: Project) -> None:
    if b"--eval" not in subprocess.run([each.make_path, "--help"], capture_output=True, check=True).stdout:
        pytest.skip("this make has no --eval")
    plain, ours = printed(each, HOOKS["flags"], "--eval=export a.b = 1")
    assert ours == plain
    assert "a.b=1" in plain


def test_a_makefile_that_is_included_after_the_line_may_export_it(each: Project) -> None:
    (each.folder / "later.mk").write_text("export a-b = 1\n")
    text = f"{HOOKS['flags']}{LINE}"
    each.write(text, line="include later.mk")
    plain = each.make("-s").stdout
    each.write(text, line=f"{each.line}\ninclude later.mk")
    assert "a-b=1\n" in plain
    assert sorted(each.make("-s").stdout.splitlines()) == sorted(plain.splitlines())


def test_a_value_that_is_too_long_to_hand_on_does_not_fail_the_line(each: Project) -> None:
    text = f"{HOOKS['flags']}export a.b := $(shell printf '%0120000d' 0)\nall: ; @/bin/true\n"
    each.write(text)
    done = each.make()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_value_of_such_a_name_is_in_no_command_line(each: Project) -> None:
    value = "value-in-no-command-line"
    each.write(f"{HOOKS['flags']}export a.token := {value}\nall: ; @sh ./look\n")
    (each.folder / "look").write_text(
        "for one in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <$one; echo; done 2>/dev/null\n"
    )
    done = each.make("-s")
    assert done.returncode == 0
    assert value not in done.stdout


@pytest.mark.parametrize("shell", ["busybox", "mksh", "posh", "yash", "bash"])
def test_any_shell_may_stand_between(each: Project, shell: str, tmp_path: Path) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"no {shell} here")
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("sh", "dash"):
        (folder / name).symlink_to(program)
    path = f"{folder}:{os.environ['PATH']}"
    plain, ours = printed(each, f"{HOOKS['flags']}SHELL := {folder}/sh\nexport a.b = 1\n", PATH=path)
    assert ours == plain


@pytest.mark.parametrize("build", [build_launcher.posix, build_launcher.as_macos], ids=["asks nothing", "as macOS's"])
def test_such_lines_are_right_with_launchers_that_know_less(
    any_make: str, home: Path, tmp_path: Path, build: Callable[[Path], Path]
) -> None:
    if sys.platform != "linux" or not (launcher := fragment.launcher()):
        pytest.skip("no compiled fast path here, or one for macOS")
    project = Project(tmp_path / "project", home, any_make)
    text = project.paths.fragment.read_text().replace(str(launcher), str(build(tmp_path)))
    project.paths.fragment.write_text(re.sub(r"(?m)^(\.metrics\.baked\.copy :=).*", r"\1", text))
    for hook in HOOKS.values():
        plain, ours = printed(project, f"{hook}export a.b = 1\nunexport PWD\n")
        assert ours == plain
        assert "a.b=1" in ours
    assert len(project.recorded()) == len(HOOKS)
