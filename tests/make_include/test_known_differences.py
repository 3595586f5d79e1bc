"""What docs/platforms.md says cannot be the same: what plain make shows, what ours does, and why no hook avoids it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT, Project


def outputs(project: Project, text: str) -> tuple[str, str]:
    """What plain make prints, and make with the include line."""
    printed = []
    for line in ("", None):
        project.write(text, line=line)
        printed.append(project.make("-s").stdout)
    return printed[0], printed[1]


def test_all_variables_of_a_makefile_are_among_those_that_it_lists(each: Project) -> None:
    text = ".own := 1\nall: ; $(info $(.VARIABLES)) @true\n"
    plain, ours = (set(printed.split()) for printed in outputs(each, text))
    assert ".own" in plain  # also a name that make never exports
    assert {name for name in ours - plain if not name.startswith(".metrics.")} <= {".SHELLSTATUS"}
    assert any(name.startswith(".metrics.") for name in ours)


def test_what_a_program_prints_for_make_to_evaluate_may_export_a_name_that_dash_drops(each: Project) -> None:
    if Path(shutil.which("sh") or "").resolve().name != "dash":
        pytest.skip("sh is no dash here")
    name = "CC_x86_64-linux"
    passed = subprocess.run(
        ["sh", "-c", f"exec printenv {name}"], env={**each.environment(), name: "gcc"}, capture_output=True, check=False
    )
    assert passed.stdout == b""  # dash itself drops it
    recipe = f"all: ; -printenv {name}\n$(if ,$(SHELL))\n"
    for word in ("export ", ""):
        (each.folder / "print").write_text(f"echo '{word}{name} = gcc'\n")
        printed = outputs(each, f"$(eval $(shell sh ./print))\n{recipe}")
        assert printed == (("gcc\n", "") if word else ("", ""))
    # The makefile does not say what is exported, and what make tells of such a variable is the same either way.
    told = "$(origin {0})$(flavor {0})$(value {0})".replace("{0}", name)
    texts = [each.make("-s", "-f", str(each.write(f"{word}{name} = gcc\nall: ; @echo '{told}'\n", line=""))).stdout
             for word in ("export ", "")]  # fmt: skip
    assert texts[0] == texts[1]


def test_with_a_late_posix_make_4_4_chooses_flags_by_a_prefix_that_no_hook_sees(each: Project) -> None:
    text = "$(if ,$(SHELL))\nall:\n\t-false; echo prefixed\n\t@echo '$(.SHELLFLAGS)'\n"
    printed = []
    for line in ("", each.line):
        each.write(f"{text}{line}\n.POSIX:\n", line="")
        printed.append(each.make("-s").stdout)
    if "4.4" in each.make("--version").stdout.splitlines()[0]:
        assert printed[0].startswith("prefixed\n")
    else:
        assert "prefixed" not in printed[0]  # before 4.4 all lines have -e
    assert "prefixed" not in printed[1]


def test_no_function_of_make_tells_a_pipe_from_a_file(each: Project) -> None:
    """But reading it, which waits for a writer. So a pipe whose name is usual for a makefile cannot be left out."""
    os.mkfifo(each.folder / "pipe.mk")
    (each.folder / "file.mk").touch()
    asked = "$(wildcard {0})|$(wildcard {0}/)|$(wildcard {0}/.)|$(realpath {0})|$(realpath {0}/.)|$(abspath {0})"
    each.write("".join(f"$(info {asked.replace('{0}', f'{name}.mk')})\n" for name in ("pipe", "file")) + "all:;@:\n")
    pipe, file = each.make("-s").stdout.splitlines()
    assert "pipe.mk" in pipe
    assert pipe.replace("pipe.mk", "file.mk") == file


def test_bash_complains_about_a_missing_locale_however_it_is_started(each: Project) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    # LOCPATH stands for an archive of locales: make sees that there is one, and not what is in it.
    env = each.environment(LC_ALL="xx_YY.UTF-8", LOCPATH=str(each.folder))
    complaints = []
    for line in ("", None):
        each.write(f"$(if ,$(SHELL))\nSHELL := {bash}\nall: ; @: '(a)'\n", line=line)
        complaints.append(each.make(env=env).stderr.count("xx_YY.UTF-8"))
    assert complaints == [1, 2]
    # The first bash complains before it reads our script. The line's bash needs the variable: with it, it complains at
    # its start; without it, as soon as it is told the value.
    start = [bash, "-c", f"exec {bash} -c :"]
    assert each.run(start, env=env).stderr.count("xx_YY.UTF-8") == 2
    told = each.run([bash, "-c", "export LC_ALL=xx_YY.UTF-8"], env=each.environment(LOCPATH=str(each.folder)))
    assert told.stderr.count("xx_YY.UTF-8") == 1
    # The makefile's bash cannot be left out either: with the flags hook make starts it, and no other program.


def test_a_makefile_that_exports_home_hides_the_one_that_make_was_started_with(each: Project, tmp_path: Path) -> None:
    for home in ("one", "two", "makefile"):
        (tmp_path / home).mkdir()
    told = "$(value HOME) $(origin HOME) $(flavor HOME)"
    text = f"export HOME = {tmp_path}/makefile\nall: below ; @echo '{told}'\nbelow: ; @$(MAKE) -s -f below.mk\n"
    checkout = f"include {ROOT}/make_include/metrics.mk"
    (each.folder / "below.mk").write_text("all: ; @tr '\\0' '\\n' </proc/$$PPID/environ | grep ^HOME=\n")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    printed = set()
    for home in ("one", "two"):
        env = {name: value for name, value in each.environment(HOME=str(tmp_path / home), PATH=path).items()
               if name != "MAKE_METRICS_HOME"}  # fmt: skip
        each.write(text, line="")
        printed.add(each.make(env=env).stdout)
        each.write(text, line=checkout)
        printed.add(each.make(env=env).stdout)
    # make has forgotten what its environment had, and a make below it was even started with the makefile's HOME.
    assert printed == {f"HOME={tmp_path}/makefile\n{tmp_path}/makefile file recursive\n"}
    assert [any((tmp_path / home).rglob("*.rec")) for home in ("one", "two", "makefile")] == [False, False, True]
