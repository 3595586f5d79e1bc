"""The include line in a Makefile: added so that make reads the rest as before, and taken out byte for byte."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from make_metrics.errors import UserError
from make_metrics.setup import makefile
from tests.support.project import SOURCE, makes

LINE = "-include $(if $(wildcard ~/.local/share/make-metrics/metrics.mk),~/.local/share/make-metrics/metrics.mk)"
RECIPE = b'all:\n\t@echo "[$(X)]"\n'
ENDS = {
    "newline": RECIPE,
    "no newline": RECIPE[:-1],
    "several empty lines": RECIPE + b"\n\n\n",
    "CRLF": RECIPE.replace(b"\n", b"\r\n"),
    "CRLF, no newline at the end": RECIPE.replace(b"\n", b"\r\n")[:-2],
    "a variable that goes on": RECIPE + b"X = a \\\n",
    "a recipe line that goes on": RECIPE + b"\t@echo b \\\n",
    "a comment that goes on": RECIPE + b"# c \\\n",
    "an even number of backslashes": RECIPE + b"X = a\\\\",
    "a backslash in CRLF": RECIPE.replace(b"\n", b"\r\n") + b"X = a \\\r\n",
    "a rule without a recipe": RECIPE + b"all: ; @echo c",
    "a dash as recipe prefix": b".RECIPEPREFIX = -\nall:\n-@echo d\n",
    "bytes that are no text": RECIPE + b"# \xff\xfe\n",
    "nothing": b"",
}


def said(make: str, path: Path, home: Path) -> tuple[int, bytes, bytes]:
    """What make does with a makefile for a developer who has not set anything up."""
    done = subprocess.run([make, "-f", path.name], cwd=path.parent, capture_output=True, check=False,
                          env={"PATH": os.environ["PATH"], "HOME": str(home)})  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("content", ENDS.values(), ids=ENDS.keys())
def test_make_reads_the_rest_as_before_and_removing_restores_every_byte(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "Makefile"
    path.write_bytes(content)
    before = [said(make, path, tmp_path) for make in makes().values()]
    assert makefile.add_line(path, LINE)
    assert path.read_bytes().startswith(content)
    assert makefile.has_line(path.read_bytes())
    assert [said(make, path, tmp_path) for make in makes().values()] == before
    added = path.read_bytes()
    assert not makefile.add_line(path, LINE)
    assert path.read_bytes() == added
    assert makefile.remove_line(path)
    assert path.read_bytes() == content
    assert not makefile.remove_line(path)


@pytest.mark.parametrize("content", [RECIPE + b"X = a \\", RECIPE + b"\t@echo b \\"])
def test_a_makefile_that_ends_in_the_middle_of_a_line_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "Makefile"
    path.write_bytes(content)
    with pytest.raises(UserError, match="ends with a backslash"):
        makefile.add_line(path, LINE)
    assert path.read_bytes() == content


def test_lines_that_were_added_after_it_stay(tmp_path: Path) -> None:
    path = tmp_path / "Makefile"
    path.write_bytes(b"a:\n" + LINE.encode() + b"\nb:\n")
    assert makefile.remove_line(path)
    assert path.read_bytes() == b"a:\nb:\n"


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        "-include /elsewhere/share/make-metrics/metrics.mk",
        "sinclude $(if $(wildcard ~/x/metrics.mk),~/x/metrics.mk)",
        "include ~/a\\ b/make-metrics/metrics.mk",
    ],
)
def test_every_form_of_the_line_is_known(line: str) -> None:
    assert makefile.has_line(f"a:\n{line}\n".encode())
    assert not makefile.has_line(f"a:\n# {line}\n\t{line}\n".encode())


@pytest.mark.parametrize("line", ["include metrics.mk", "-include config/metrics.mk", "include $(wildcard *.mk)"])
def test_a_projects_own_include_lines_are_none_of_ours(line: str) -> None:
    assert not makefile.has_line(f"{line}\n".encode())


def setup(folder: Path, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(SOURCE)}
    return subprocess.run([sys.executable, "-m", "make_metrics", "setup", *words], cwd=folder, env=env,
                          capture_output=True, text=True, check=False)  # fmt: skip


def test_the_command_finds_makes_own_choice_says_what_it_did_and_keeps_the_mode(tmp_path: Path) -> None:
    folder, home = tmp_path / "project", tmp_path / "fresh"
    folder.mkdir()
    home.mkdir()
    for name in ("Makefile", "GNUmakefile"):
        (folder / name).write_bytes(RECIPE)
    (folder / "GNUmakefile").chmod(0o640)
    (folder / "link").symlink_to("Makefile")
    assert setup(folder, home, "--add").stdout == "GNUmakefile: added the include line\n"
    assert setup(folder, home, "--add").stdout == "GNUmakefile: already has the include line\n"
    assert (folder / "GNUmakefile").read_text() == f"{RECIPE.decode()}{LINE}\n"
    assert (folder / "GNUmakefile").stat().st_mode & 0o777 == 0o640
    assert setup(folder, home, "--add", "link").stdout == "link: added the include line\n"
    assert (folder / "link").is_symlink()
    assert makefile.has_line((folder / "Makefile").read_bytes())
    assert setup(folder, home, "--remove").stdout == "GNUmakefile: removed the include line\n"
    assert setup(folder, home, "--remove").stdout == "GNUmakefile: has no include line\n"
    assert (folder / "GNUmakefile").read_bytes() == RECIPE


def test_the_commands_mistakes_are_one_line(tmp_path: Path) -> None:
    home = tmp_path / "fresh"
    home.mkdir()
    for words, told in (
        (["--add"], "no Makefile in this directory"),
        (["--add", "nothing"], "there is no file nothing"),
        (["--add", "fresh"], "fresh is a directory"),
        (["--remove"], "no Makefile in this directory"),
        (["--add", "--remove"], "exclude each other"),
    ):
        done = setup(tmp_path, home, *words)
        status = 2 if "exclude" in told else 1  # the first is wrong usage
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1)
        assert told in done.stderr
    assert not (home / ".local").exists()


@pytest.mark.parametrize("content", [RECIPE, RECIPE[:-1]])
def test_the_printed_line_can_be_appended_by_a_shell(content: bytes, tmp_path: Path) -> None:
    home = tmp_path / "fresh"
    home.mkdir()
    path = tmp_path / "Makefile"
    path.write_bytes(content)
    before = said("make", path, tmp_path / "nobody")
    path.write_bytes(content + setup(tmp_path, home).stdout.encode())
    assert said("make", path, tmp_path / "nobody") == before
    assert makefile.has_line(path.read_bytes())
