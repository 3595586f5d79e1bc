"""The commands of README, the tutorial and the how-tos, taken from the pages and run by a newcomer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.installed import Newcomer
from tests.support.project import ROOT

README = (ROOT / "README.md").read_text()
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
def test_the_commands_of_a_page_print_what_it_says(page: Path, newcomer: Newcomer) -> None:
    walk(page, newcomer)


def test_the_first_commands_of_the_readme(newcomer: Newcomer) -> None:
    commands = README.split("```")[1].strip().splitlines()
    assert "make-metrics" in commands.pop(0)  # it installs what is installed here
    newcomer.write("Makefile", "all: lib\n\t@echo all\nlib:\n\t@echo lib\n")
    added, made, report = newcomer.session(commands)
    assert (added, made) == ("Makefile: added the include line\n", "lib\nall\n")
    assert [line.split()[0] for line in report.splitlines()[1:3]] in (["all", "lib"], ["lib", "all"])


def test_the_five_steps_of_adoption_in_the_readme(newcomer: Newcomer) -> None:
    steps = re.findall(r"^\d\. (.+)$", README.partition("## Adopt it")[2].partition("\n## ")[0], re.MULTILINE)
    add, set_up, in_ci, *_ = [re.findall(r"`(make(?:-metrics [^`]+| setup)?)`", step) for step in steps]
    assert (len(steps), len(add), len(in_ci)) == (5, 1, 3)
    newcomer.write("Makefile", "all:\n\t@echo all\n")
    newcomer.script("\n".join([*add, *(command for command in set_up if command != "make setup")]), CI="true")
    printed = newcomer.script("\n".join(in_ci), CI="true")
    assert re.search(r"^all +goal +1 ", printed, re.MULTILINE), printed


def test_a_page_that_prints_something_else_is_found(newcomer: Newcomer, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ make\nanything\n```\n")
    with pytest.raises(AssertionError, match=r"\$ make"):
        walk(page, newcomer)
