"""On a system that was never tried the fragment and the shim do nothing: the build is as without them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from make_metrics.hot import arguments
from make_metrics.setup import fragment
from tests.support.namespaces import needs
from tests.support.project import SOURCE, Project

KNOWN = [
    "x86_64-pc-linux-gnu",
    "x86_64-pc-linux-musl",
    "aarch64-unknown-linux-gnu",
    "arm-unknown-linux-gnueabihf",
    "x86_64-apple-darwin23.6.0",
    "aarch64-apple-darwin24.1.0",
]
UNKNOWN = [
    "amd64-portbld-freebsd14.1",
    "x86_64-unknown-freebsd13.2",
    "x86_64--netbsd",
    "x86_64-unknown-openbsd7.5",
    "x86_64-unknown-dragonfly6.4",
    "x86_64-pc-cygwin",
    "x86_64-pc-msys",
    "x86_64-w64-mingw32",
    "x86_64-pc-solaris2.11",
    "powerpc-ibm-aix7.2.0.0",
    "i686-unknown-gnu0.9",
    "aarch64-unknown-linux-android",
    "",
]
_MAKEFILE = """\
all:
    @echo $(if $(value .metrics.hook),hook) built
    @false; echo on
    -exit 3
    @kill -9 $$$$
"""


def _host(project: Project, host: str) -> None:
    """Have the fragment read another platform than make was built for."""
    text = project.paths.fragment.read_text()
    project.paths.fragment.write_text(
        text.replace("$(filter default,$(origin MAKE_HOST))", "1").replace("$(MAKE_HOST)", host)
    )


@pytest.mark.parametrize("host", KNOWN)
def test_lines_are_recorded_where_it_was_tried(project: Project, host: str) -> None:
    _host(project, host)
    project.edit_fragment(".metrics.baked.machine := x86", ".metrics.baked.machine :=")
    project.write("all:\n    @echo built\n")
    done = project.make()
    assert (done.stdout, done.stderr) == ("built\n", "")
    assert len(project.recorded()) == 1


@pytest.mark.parametrize("host", UNKNOWN)
def test_nothing_is_done_elsewhere(each: Project, host: str) -> None:
    _host(each, host)
    each.edit_fragment(".metrics.baked.machine := x86", ".metrics.baked.machine :=")
    each.write(_MAKEFILE, line="")
    plain = each.make()
    each.write(_MAKEFILE)
    ours = each.make()
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr)
    assert "hook" not in ours.stdout
    assert not each.paths.state.exists()


# macOS's own programs, /bin/sh among them, start without these variables. A script in its place does the same here.
_PROTECTED = """#!{shell}
unset ${{!DYLD_@}} LD_LIBRARY_PATH
exec {shell} "$@"
"""
_LINES = """\
export DYLD_FRAMEWORK_PATH
all: inner
    printenv DYLD_LIBRARY_PATH DYLD_INSERT_LIBRARIES LD_LIBRARY_PATH
    printenv DYLD_LIBRARY_PATH; :
inner: export DYLD_FALLBACK_LIBRARY_PATH := /of/target
inner:
    printenv DYLD_FALLBACK_LIBRARY_PATH
    echo without
"""


@pytest.mark.parametrize("use", ["", "$(if ,$(SHELL))\n"], ids=["shell", "flags"])
@pytest.mark.parametrize("name", ["", "DYLD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "LD_LIBRARY_PATH"])
def test_what_a_protected_shell_of_macos_drops_reaches_the_lines(
    each: Project, name: str, use: str, tmp_path: Path
) -> None:
    inside = [] if use else _with_protected_shell(tmp_path)  # no script is taken for a shell by the flags hook
    env = {**each.environment(), **({name: "/nowhere"} if name else {})}
    outcomes = []
    for line in ("", None):
        each.write(use + _LINES, line=line)
        _host(each, "aarch64-apple-darwin24.1.0")
        done = each.run([*inside, each.make_path, "-k"], env=env)
        outcomes.append((done.returncode, done.stdout, done.stderr))
    assert outcomes[1] == outcomes[0]
    assert "/of/target\n" in outcomes[0][1]
    assert ("/nowhere\n" in outcomes[0][1]) == bool(name)
    assert [event.target for event in each.recorded()] == ([] if name else ["all"])


def _with_protected_shell(folder: Path) -> list[str]:
    """Words that run a program where /bin/sh drops these variables."""
    needs("unshare", "-rm")
    shell = folder / "bash"
    shutil.copy(shutil.which("bash") or pytest.skip("there is no bash"), shell)
    script = folder / "sh"
    script.write_text(_PROTECTED.format(shell=shell))
    script.chmod(0o755)
    mount = f"mount --bind {script} {Path('/bin/sh').resolve()}"
    return ["unshare", "-rm", str(shell), "-c", f'{mount} && exec "$@"', "sh"]


def test_a_makefile_that_sets_make_host_hides_the_system_only_from_itself(project: Project) -> None:
    project.write("MAKE_HOST := x86_64-unknown-freebsd\nall:\n    @echo built\n")
    assert project.make().stdout == "built\n"
    assert len(project.recorded()) == 1


def test_the_shim_runs_the_line_unrecorded(project: Project) -> None:
    """A fragment of an earlier version may start it there."""
    words = [arguments.PROTOCOL.decode(), "t:all", "g:all", "m:0:4.3:make:f", "h:", "e:///", "1", "/bin/sh", "-c",
             "echo built; exit 3"]  # fmt: skip
    code = f"import sys; sys.platform = 'freebsd14'; from make_metrics.hot import line; line.main({words!r})"
    env = {**project.environment(), "PYTHONPATH": str(SOURCE), "MAKELEVEL": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "built\n", "")
    assert not project.paths.state.exists()
    recorded = subprocess.run([sys.executable, "-c", code.replace("freebsd14", "linux")], env=env, check=False)
    assert recorded.returncode == 3
    assert project.paths.state.exists()


def test_a_path_as_windows_hands_it_to_wsl(each: Project) -> None:
    folders = "/mnt/c/Program Files (x86)/Common Files/Oracle/Java:/mnt/c/Users/An Other/AppData/Local/it's $HOME"
    path = f"{each.environment()['PATH']}:{folders}"
    each.write('SHELL := /bin/sh\nall:\n    @echo built\n    @echo "$$PATH"\n')
    done = each.make(env={**each.environment(), "PATH": path})
    assert (done.stdout, done.stderr) == (f"built\n{path}\n", "")
    assert len(each.recorded()) == 1


@pytest.mark.parametrize("options", [(), ("-j2",), ("-n",), ("-k", "all", "bad")], ids=" ".join)
@pytest.mark.parametrize("place", ["end", "beginning"])
def test_bsd_make_reads_the_fragment_and_does_nothing(project: Project, place: str, options: tuple[str, ...]) -> None:
    """By a plain name it reads the file: the line that set-up adds names none for it."""
    if not shutil.which("bmake"):
        pytest.skip("no bmake here")
    rules = "all: one\n\t@echo all\none:\n\t@echo one\nbad:\n\t@exit 3\n"
    set_up_adds = fragment.include_line(project.paths)
    outcomes = []
    for line in ("# nothing", project.line, set_up_adds, f"include {fragment.source()}"):
        project.write(f"{line}\n{rules}" if place == "beginning" else rules, line="" if place == "beginning" else line)
        done = project.run(["bmake", *options])
        outcomes.append((done.returncode, done.stdout, done.stderr))
    assert outcomes[1:] == outcomes[:1] * 3
    assert "one" in outcomes[0][1]
    assert project.records() == []
