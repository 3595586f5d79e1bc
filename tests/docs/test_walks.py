"""The commands of README, the tutorial and the how-tos, taken from the pages and run by a newcomer."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.installed import NOBODY, Newcomer, install_wheel, readable_folder
from tests.support.project import ROOT

pytest.importorskip("hatchling")
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if "```console\n" in page.read_text()]
FILE = re.compile(r"^```(?:make|toml)\n# ([\w./-]+)\n(.*?)^```", re.DOTALL | re.MULTILINE)


class Step(NamedTuple):
    """A command of a page, and what it prints there."""

    command: str
    output: str


def steps(page: str) -> list[Step]:
    """The commands of a page's `console` blocks."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```", page, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            found.append(Step(command, output))
    return found


def comparable(output: str) -> list[str]:
    """The lines of an output without what differs from run to run: times, dates, directories, widths of columns."""
    output = re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?", "DATE", output)
    output = re.sub(r"\b\d+(\.\d+)?(ms|s)\b", "TIME", output)
    output = re.sub(r"\b\d+(\.\d+)?[KMG]iB\b", "SIZE", output)
    output = re.sub(r"(?<!\S)/\S+", "DIRECTORY", output)
    output = re.sub(r"\brun [0-9a-f]{4,12}\b", "run NAME", output)
    output = re.sub(r"(?m)^[0-9a-f]{4,12} +(?=DATE)", "NAME ", output)
    output = re.sub(r"\b\d+%|\b\d+\.\d(?= jobs)", "SHARE", output)
    output = re.sub(r"\bmake \d+(\.\d+)+", "make VERSION", output)
    return [" ".join(line.split()) for line in output.splitlines() if line.strip()]


@pytest.fixture(scope="module", params=[True, False], ids=["compiler", "no-compiler"])
def installed(request: pytest.FixtureRequest) -> Iterator[tuple[Path, Path]]:
    """A folder, and the `bin` of an environment below it that the wheel is installed in."""
    with readable_folder() as folder:
        yield folder, install_wheel(folder, compiler=request.param)


def walk(page: Path, newcomer: Newcomer) -> None:
    """Write a page's files, run its commands, and compare what they print."""
    text = page.read_text()
    newcomer.write("Makefile", "all:\n\t@true\n")
    for name, content in FILE.findall(text):
        newcomer.write(name, f"# {name}\n{content}")
    expected = steps(text)
    printed = newcomer.session([step.command for step in expected])
    for step, output in zip(expected, printed, strict=True):
        assert comparable(output) == comparable(step.output), f"$ {step.command}\n{output}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_commands_of_a_page_print_what_it_says(page: Path, installed: tuple[Path, Path], tmp_path: Path) -> None:
    walk(page, Newcomer(tmp_path / "newcomer", installed[1]))


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user; without root the other tests are that user's")
def test_an_ordinary_user_walks_the_tutorial(installed: tuple[Path, Path]) -> None:
    folder, bin_folder = installed
    newcomer = Newcomer(folder / "ordinary", bin_folder, user=NOBODY)
    if not newcomer.can_run("make-metrics", "--version"):
        pytest.skip("this checkout or its Python is in a home that is closed to other users")
    walk(ROOT / "docs/tutorial.md", newcomer)


def test_the_first_commands_of_the_readme(installed: tuple[Path, Path], tmp_path: Path) -> None:
    commands = (ROOT / "README.md").read_text().split("```")[1].strip().splitlines()
    assert "make-metrics" in commands.pop(0)  # it installs what is installed here
    newcomer = Newcomer(tmp_path / "newcomer", installed[1])
    newcomer.write("Makefile", "all: lib\n\t@echo all\nlib:\n\t@echo lib\n")
    added, made, report = newcomer.session(commands)
    assert (added, made) == ("Makefile: added the include line\n", "lib\nall\n")
    assert [line.split()[0] for line in report.splitlines()[1:3]] in (["all", "lib"], ["lib", "all"])


def test_a_page_that_prints_something_else_is_found(installed: tuple[Path, Path], tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ make\nanything\n```\n")
    with pytest.raises(AssertionError, match=r"\$ make"):
        walk(page, Newcomer(tmp_path / "newcomer", installed[1]))
