"""`make-metrics completion`, in the shells that it is for."""

from __future__ import annotations

import contextlib
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pexpect
import pytest

from ci import reference
from make_metrics import cli
from tests.support.project import ROOT

CASES = [
    ("stat", ["status"]),
    ("crash-reports ", ["off", "on", "preview", "status"]),
    ("doctor ", ["all", "lib-one", "lib.two"]),
    ("help tr", ["trace", "transparency"]),
    ("completion z", ["zsh"]),
    ("doctor -C s", ["sub"]),
    ("setup --add M", ["Makefile"]),
]
_BASH = """
. "$1"
COMP_WORDS=(make-metrics $2)
case $2 in *" ") COMP_WORDS+=("") ;; esac
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMP_LINE="make-metrics $2" COMP_POINT=${#COMP_LINE}
"$(complete -p make-metrics | sed 's/.*-F \\([^ ]*\\).*/\\1/')" make-metrics "${COMP_WORDS[COMP_CWORD]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a Makefile, whose completion must run nothing."""
    (tmp_path / "Makefile").write_text(
        "X := $(shell touch ran)\nall: lib-one ; @:\nlib-one:\nlib.two :\nY ?= 1\n%.o: ;\n"
    )
    (tmp_path / "sub").mkdir()
    return tmp_path


def completion(shell: str) -> str:
    """What the command prints for a shell."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        assert cli.main(["completion", shell]) == 0
    return output.getvalue()


def script(shell: str, folder: Path) -> Path:
    """The printed completion, as a file."""
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    file = folder / f".completion.{shell}"
    file.write_text(completion(shell))
    return file


@pytest.mark.parametrize(("words", "expected"), CASES)
def test_bash_completes(folder: Path, words: str, expected: list[str]) -> None:
    shell = ["bash", "--norc", "-c", _BASH, "bash", str(script("bash", folder)), words]
    done = subprocess.run(shell, cwd=folder, capture_output=True, text=True, check=True)
    assert (sorted(done.stdout.split()), done.stderr) == (expected, "")
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(("words", "expected"), CASES)
def test_fish_completes(folder: Path, words: str, expected: list[str]) -> None:
    text = f"source {script('fish', folder)}; complete -C 'make-metrics {words}'"
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder)}
    done = subprocess.run(
        ["fish", "--no-config", "-c", text], cwd=folder, env=environ, capture_output=True, text=True, check=True
    )
    found = sorted(line.partition("\t")[0].rstrip("/") for line in done.stdout.splitlines())
    assert (found, done.stderr) == (expected, "")
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(("words", "expected"), [case for case in CASES if len(case[1]) == 1])
def test_zsh_completes(folder: Path, words: str, expected: list[str]) -> None:
    functions = folder / ".functions"
    functions.mkdir()
    script("zsh", folder).rename(functions / "_make-metrics")
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TERM": "dumb", "PS1": "% "}
    with pexpect.spawn("zsh", ["-f", "-i"], cwd=folder, env=environ, encoding="utf-8", dimensions=(24, 200)) as zsh:
        zsh.sendline(f"fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -D; print rea''dy")
        zsh.expect_exact("ready")
        zsh.send(f": ; make-metrics {words}\t")
        zsh.expect_exact(f"make-metrics {' '.join([*words.split()[:-1], *expected])}")
        zsh.kill(9)


def test_the_manual_page_names_every_command_and_status() -> None:
    page = completion("man").replace("\\-", "-")
    assert [each.name for each in cli.COMMANDS if f".SS \\fBmake-metrics {each.name}\\fR" not in page] == []
    assert [status for status in ("0", "1", "2", "3", "130", "141") if f".B {status}\n" not in page] == []
    if not shutil.which("man"):
        pytest.skip("no man here")
    file = reference.SHELLS / "make-metrics.1"
    done = subprocess.run(
        ["man", "--warnings", "-E", "UTF-8", "-l", file], env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert "EXIT STATUS" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_wheel_has_them_where_shells_and_man_look(tmp_path: Path) -> None:
    pytest.importorskip("hatchling")
    import sys

    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name.partition(".data/data/share/")[2]: name for name in archive.namelist() if ".data/data/" in name}
        places = {
            "bash": "bash-completion/completions/make-metrics",
            "zsh": "zsh/site-functions/_make-metrics",
            "fish": "fish/vendor_completions.d/make-metrics.fish",
            "man": "man/man1/make-metrics.1",
        }
        assert names.keys() == set(places.values())
        for shell, place in places.items():
            assert archive.read(names[place]).decode() == completion(shell)
