"""The fragment: which hook it takes, which settings of a project it follows, and where the include line finds it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from make_metrics.files.paths import Paths
from make_metrics.setup import fragment
from tests.support.project import ROOT, SOURCE, Project

HOOK = "all:\n\t@echo '$(.metrics.hook)'\n"
USES_SHELL = "X = $(SHELL)\n" + HOOK
FEATURES = "target-specific order-only second-expansion else-if shortest-stem undefine oneshell archives jobserver"


@pytest.mark.parametrize(
    ("version", "text", "hook"),
    [
        ("4.4.1", HOOK, "shell"), ("4.4.1", USES_SHELL, "flags"),
        ("4.3", HOOK, "shell"), ("4.3", USES_SHELL, "flags"),
        ("4.2.1", HOOK, "shell"), ("4.2", USES_SHELL, "flags"),
        ("4.1", HOOK, "flags"), ("4.0", USES_SHELL, "flags"),
        ("3.81", HOOK, "shell"), ("3.81", "# SHELL\n" + HOOK, "shell"), ("3.81", USES_SHELL, ""),
        ("3.82", HOOK, ""), ("3.80", HOOK, ""), ("5.0", HOOK, ""), ("4.5", HOOK, ""), ("", HOOK, "shell"),
    ],
)  # fmt: skip
def test_each_version_takes_the_hook_that_is_safe_there(each: Project, version: str, text: str, hook: str) -> None:
    each.write(text)
    assert each.make(f".metrics.as.version={version}").stdout.strip() == hook


@pytest.mark.parametrize(
    "words",
    [["SHELL=/bin/bash"], ["--eval=x:;"], ["-f", "Makefile", "-f", "other.mk"], ["-f", "-"], [".SHELLFLAGS=-ec"]],
    ids=" ".join,
)  # fmt: skip
def test_targets_are_measured_however_make_is_called(each: Project, words: list[str]) -> None:
    each.write("all:\n\t@echo $$0\n")
    (each.folder / "other.mk").write_text("other:\n\t@: $(SHELL)\n")
    done = each.make(*words, "all", input=(each.folder / "Makefile").read_text())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == ("/bin/bash\n" if words == ["SHELL=/bin/bash"] else "/bin/sh\n")
    # A makefile that is read after the line and uses SHELL could have done anything to it: no measuring then.
    assert [event.target for event in each.recorded()] == ([] if "other.mk" in words else ["all"])


def test_posix_makefile_with_its_own_shell_is_left_alone_from_4_4(each: Project) -> None:
    each.write(".POSIX:\nX = $(SHELL)\n" + HOOK)
    version = each.run([each.make_path, "--version"]).stdout.split()[2]
    assert each.make().stdout.strip() == ("" if version.startswith("4.4") else "flags")


@pytest.mark.parametrize("name", ["a:b", "a;b=c", "a%b", "a|b & c"])
def test_a_fragment_whose_path_no_rule_can_name_works_without_a_rule(each: Project, name: str) -> None:
    """A "%:" rule of the project then prints nothing about it, and the build goes on."""
    odd = each.folder / name / "metrics.mk"
    odd.parent.mkdir()
    odd.write_text(each.paths.fragment.read_text())
    escaped = str(odd).replace(" ", "\\ ")
    each.write("all:\n\t@echo $@ $(.DEFAULT_GOAL)\n", line=f"-include {escaped}")
    done = each.make()
    assert (done.returncode, done.stdout, done.stderr) == (0, "all all\n", "")


class TestOneshell:
    """A project asks for `.ONESHELL`; errors stop the recipe as they do line by line."""

    TEXT = "METRICS_ONESHELL := 1\nall:\n\t@x=one; cd /\n\techo $$x `pwd`\n\tfalse\n\techo not reached\n"

    def test_one_shell_runs_the_recipe_and_stops_at_an_error(self, each: Project) -> None:
        each.write(self.TEXT)
        done = each.make()
        assert (done.returncode, done.stdout) == (2, "one /\n")
        (event,) = each.recorded()
        assert (event.recipe_lines, event.exit_status) == (1, 1)

    def test_a_makefiles_own_flags_stay(self, each: Project) -> None:
        each.write(".SHELLFLAGS := -c\n" + self.TEXT)
        done = each.make()
        assert (done.returncode, done.stdout) == (0, "one /\nnot reached\n")

    def test_without_the_feature_lines_are_run_one_by_one(self, each: Project) -> None:
        each.write(self.TEXT)
        done = each.make(".metrics.as.version=3.81", f".metrics.as.features={FEATURES.replace('oneshell', '')}")
        assert done.returncode == 2
        assert done.stdout == f"echo $x `pwd`\n{each.folder}\nfalse\n"
        assert each.recorded()[0].recipe_lines == 3


def test_a_project_may_exempt_targets(each: Project) -> None:
    each.write("METRICS_SKIP := big%\nall: big.one\n\t@echo all\nbig.one:\n\t@echo $@\n")
    assert each.make().stdout == "big.one\nall\n"
    assert [event.target for event in each.recorded()] == ["all"]


@pytest.mark.parametrize(
    "name", ["with blank", "with 'quote", "Umläute", "with#hash", "with$dollar", "a  b", "per%cent"]
)
def test_a_home_may_have_any_name(tmp_path: Path, any_make: str, name: str) -> None:
    home = tmp_path / name
    home.mkdir()
    project = Project(tmp_path / "project", home, any_make)
    done = project.cli("setup")
    assert done.returncode == 0, done.stderr
    project.write(
        "%.x: force\n\t@echo would make $@\nforce: ;\nall:\n\t@echo $(MAKEFILE_LIST)\n", line=done.stdout.strip()
    )
    done = project.make("all")
    assert (done.returncode, done.stdout, done.stderr) == (0, "Makefile\n", "")
    if "'" not in name:
        assert list(project.events()) == ["all"]


def test_set_up_prints_the_line_and_an_empty_one_on_standard_output(project: Project) -> None:
    done = project.cli("setup")
    name = f"~{str(project.paths.fragment)[len(str(project.home)) :]}"
    assert done.stdout == f"\n-include $(if $(wildcard {name}),{name})\n"
    assert done.stderr == ""  # what to do with it is said on a terminal
    assert project.paths.fragment.stat().st_mode & 0o777 == 0o644
    assert project.cli("include").stdout == f"{ROOT}/make_include/metrics.mk\n"


def test_an_interpreter_that_make_cannot_name_is_a_clear_error(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "with blank"
    folder.mkdir()
    (folder / "python").symlink_to(sys.executable)
    env = {**project.environment(), "PYTHONPATH": ":".join([str(SOURCE), *sys.path])}
    done = project.run([str(folder / "python"), "-m", "make_metrics", "setup"], env=env)
    assert done.returncode == 1
    assert done.stderr.startswith("make-metrics: make cannot run ")
    assert done.stderr.count("\n") == 1


def test_an_installed_package_serves_from_its_own_folder(tmp_path: Path, home: Path, any_make: str) -> None:
    """A wheel's layout: lib/python3.N/site-packages/make_metrics beside bin/python3."""
    package = tmp_path / "environment/lib/python3.11/site-packages/make_metrics"
    shutil.copytree(SOURCE / "make_metrics", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "make_include/metrics.mk", package)
    (tmp_path / "environment/bin").mkdir()
    (tmp_path / "environment/bin/python3").symlink_to(sys.executable)
    project = Project(tmp_path / "project", home, any_make)
    project.paths.fragment.unlink()
    project.write(HOOK, line=f"include {package}/metrics.mk")
    assert project.make().stdout == "shell\n"
    assert [event.target for event in project.recorded()] == ["all"]


def test_a_version_managers_shims_are_not_used(project: Project, tmp_path: Path) -> None:
    stand_ins = tmp_path / "manager/shims"
    stand_ins.mkdir(parents=True)
    for name in ("make-metrics", "python3"):
        (stand_ins / name).write_text("#!/bin/sh\nexit 9\n")
        (stand_ins / name).chmod(0o755)
    project.paths.fragment.unlink()
    project.write(HOOK, line=f"include {ROOT}/make_include/metrics.mk")
    env = project.environment(PATH=f"{stand_ins}:/usr/bin:/bin")
    assert project.make(env=env).stdout == "\n"


def test_no_process_is_started_at_parse_time(each: Project) -> None:
    if not shutil.which("strace"):
        pytest.skip("no strace here")
    each.write("all: ;\n")
    log = each.folder / "log"
    each.run(["strace", "-f", "-o", str(log), "-e", "trace=execve,fork,vfork,clone,clone3", each.make_path])
    started = [line for line in log.read_text().splitlines() if "exited" not in line and "SIG" not in line]
    assert len(started) == 1, started


def test_every_value_is_written_into_the_fragment(tmp_path: Path) -> None:
    paths = Paths(data=tmp_path / "data", config=tmp_path, state=tmp_path / "state")
    text = fragment.render(paths)
    assert text.count(".metrics.baked.") - fragment.source().read_text().count(".metrics.baked.") == 0
    assert f".metrics.baked.state := {tmp_path}/state\n" in text
    assert subprocess.run(["make", "-f", "-"], input=text, text=True, capture_output=True, check=False).returncode == 2
    assert os.path.isabs(fragment.entry())  # noqa: PTH117


@pytest.mark.parametrize(
    "shell", ["/usr/bin/env bash", "/bin/bash -eu -o pipefail", "bash", "/usr/bin/env -i bash", "perl"]
)
def test_a_makefiles_own_shell_stays(each: Project, shell: str) -> None:
    each.write(f"SHELL := {shell}\nall:\n\t@print='x y'; echo $${{BASH_VERSION:+bash}} [$$-] $$PATH\n", line="")
    plain = each.make()
    each.write((each.folder / "Makefile").read_text())
    assert (each.make().stdout, each.make().returncode) == (plain.stdout, plain.returncode)
    assert {event.target for event in each.recorded()} == {"all"}


def test_a_line_before_the_first_target_knows_the_default_goal(each: Project) -> None:
    (each.folder / "Makefile").write_text(f"{each.line}\nall: a\na:\n\t@echo a\n")
    assert each.make().stdout == "a\n"
    assert sorted((event.target, event.goal) for event in each.recorded()) == [("a", False), ("all", True)]


@pytest.mark.parametrize("character", ["\r", "\v", "\f"])
def test_make_itself_runs_targets_whose_names_cannot_be_handed_over(each: Project, character: str) -> None:
    each.write("$(if ,$(SHELL))\n.ONESHELL:\n%: ; @echo made; :\nMakefile: ;\n", line="")
    plain = each.make(f"a{character}b", "other")
    each.write((each.folder / "Makefile").read_text())
    done = each.make(f"a{character}b", "other")
    assert (done.returncode, done.stdout, done.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert [event.target for event in each.recorded() if event.recipe_lines] == ["other"]
