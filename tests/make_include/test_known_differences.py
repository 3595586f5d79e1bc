"""What docs/platforms.md says cannot be the same: what plain make shows, what ours does, and why no hook avoids it."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT, Project, started, until


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


NAME = "CC_x86_64-linux"
# What make evaluates here is in no makefile: a program prints it, a file or the environment has it, or parts make it.
EVALUATED = {
    "a program": "$(eval $(shell sh ./print))",
    "a program, by !=": "PRINTED != sh ./print\n$(eval $(PRINTED))",
    "a file": "$(eval $(file <printed))",
    "the environment": "$(eval $(FROM_ENVIRONMENT))",
    "parts": f"$(eval $(subst X,ex,Xport {NAME} = gcc))",
}


@pytest.fixture
def dash_drops(each: Project) -> None:
    """Skips where sh passes such names on."""
    passed = each.run(["sh", "-c", f"exec printenv {NAME}"], env={**each.environment(), NAME: "gcc"})
    if passed.stdout:
        pytest.skip("sh drops no names here")


@pytest.mark.usefixtures("dash_drops")
@pytest.mark.parametrize("source", EVALUATED)
@pytest.mark.parametrize("hook", ["flags", "shell"])
def test_what_make_evaluates_from_elsewhere_may_export_a_name_that_dash_drops(
    each: Project, hook: str, source: str
) -> None:
    (each.folder / "print").write_text("cat ./printed\n")
    (each.folder / "printed").write_text(f"export {NAME} = gcc\n")
    env = each.environment(FROM_ENVIRONMENT=f"export {NAME} = gcc")
    lines = f"\t-printenv {NAME}\n" * 3 + ("$(if ,$(SHELL))\n" if hook == "flags" else "")
    printed = []
    for line in ("", None):
        each.write(f"{EVALUATED[source]}\nall:\n{lines}", line=line)
        printed.append(each.make("-s", env=env).stdout)
    assert printed[0] == "gcc\n" * 3
    # With the SHELL hook a shell stands only between make and the first lines: those that try the shim.
    assert printed[1] in ([""] if hook == "flags" else ["gcc\n", "gcc\n" * 2])


@pytest.mark.usefixtures("dash_drops")
@pytest.mark.parametrize("head", ["$(eval $(shell echo 'export {0} = gcc'))", "include $(shell sh ./print)"])
@pytest.mark.parametrize("use", ["", "$(if ,$(SHELL))"])
def test_an_export_that_stands_in_a_makefile_is_seen_whoever_prints_it(each: Project, use: str, head: str) -> None:
    (each.folder / "print").write_text(f"echo 'export {NAME} = gcc' >made.mk; echo made.mk\n")
    printed = outputs(each, f"{head.replace('{0}', NAME)}\n{use}\nall: ; -printenv {NAME}\n")
    assert printed == ("gcc\n", "gcc\n")


def test_no_function_of_make_tells_whether_a_variable_is_exported(each: Project) -> None:
    told = "$(origin {0})$(flavor {0})$(value {0})".replace("{0}", NAME)
    texts = [each.make("-s", "-f", str(each.write(f"{word}{NAME} = gcc\nall: ; @echo '{told}'\n", line=""))).stdout
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


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc tells what make has open")
@pytest.mark.parametrize("use", ["", "$(if ,$(SHELL))"], ids=["shell", "flags"])
@pytest.mark.parametrize("place", ["before the line", "after the line"])
def test_an_included_pipe_with_a_usual_name_is_waited_for_until_somebody_writes_again(
    each: Project, place: str, use: str
) -> None:
    pipe = each.folder / "pipe.mk"
    os.mkfifo(pipe)
    seen, times = [], []
    for line in ("", each.line):
        order = ("include pipe.mk", line) if place == "before the line" else (line, "include pipe.mk")
        each.write(f"{order[0]}\n{use}\nall: ; @echo $(WORD); true\n{order[1]}\n", line="")
        with started(each.start("all")) as make:
            times.append(written_until_it_ends(make, pipe, "WORD := made\n"))
            seen.append((*make.communicate(), make.returncode))
    assert seen == [("made\n", "", 0)] * 2
    assert times[0] == 1
    assert times[1] > 1


def written_until_it_ends(make: subprocess.Popen[str], pipe: Path, text: str) -> int:
    """Write to a named pipe each time that make opens it; returns how often that was."""
    times = 0
    open_files = Path(f"/proc/{make.pid}/fd")

    def ended() -> bool:
        nonlocal times
        try:
            descriptor = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)  # as long as nobody reads it is refused
        except OSError:
            return make.poll() is not None
        with os.fdopen(descriptor, "w") as writer:
            writer.write(text)
            # While make waits for a writer it has no descriptor yet; it reads on until we close ours.
            until(lambda: str(pipe) in links(open_files) or make.poll() is not None)
        times += 1
        until(lambda: str(pipe) not in links(open_files))
        return False

    until(ended)
    return times


def links(folder: Path) -> set[str]:
    """What the links in a folder lead to; those that go meanwhile are left out."""
    found = set()
    with contextlib.suppress(OSError):
        for link in folder.iterdir():
            with contextlib.suppress(OSError):
                found.add(str(link.readlink()))
    return found


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
