"""Tools that read make's data base or a Makefile's text (completions, editors, automake): none shows our file."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.project import Project

TEXT = "all: lib ; @echo all\nlib: ; @echo lib\n"
_BASH = """
. /usr/share/bash-completion/bash_completion
_completion_loader make
COMP_WORDS=(make "$1") COMP_CWORD=1 COMP_LINE="make $1" COMP_POINT=$((5 + ${#1})) COMP_TYPE=9
"$(complete -p make | sed 's/.*-F \\([^ ]*\\).*/\\1/')" make "$1" make
printf '%s\\n' "${COMPREPLY[@]}"
"""
# What VS Code's Makefile Tools finds (src/parser.ts), and how it calls make.
_VS_CODE = re.compile(r"^(?!\n?[#.])(?<!^# Not a target:\n)\s*(\S*[^:]):\s+", re.MULTILINE)
_VS_CODE_FLAGS = ("--print-data-base", "--no-builtin-variables", "--no-builtin-rules", "--question")


def tool(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the project's folder."""
    return subprocess.run(
        words, cwd=project.folder, env=project.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("word", "expected"), [("", {"all", "lib"}), ("/", set()), ("l", {"lib"}), (".", set())])
def test_bash_completes_to_the_makefiles_own_targets(project: Project, word: str, expected: set[str]) -> None:
    if not Path("/usr/share/bash-completion/completions/make").exists():
        pytest.skip("no bash-completion here")
    project.write(TEXT)
    assert set(tool(project, "bash", "--norc", "-c", _BASH, "bash", word).stdout.split()) == expected


@pytest.mark.parametrize(("word", "expected"), [("", {"all", "lib"}), ("/", set())])
def test_fish_completes_to_the_makefiles_own_targets(project: Project, word: str, expected: set[str]) -> None:
    if not shutil.which("fish"):
        pytest.skip("no fish here")
    project.write(TEXT)
    done = tool(project, "env", f"HOME={project.folder}", "fish", "-c", f"complete -C 'make {word}'")
    assert {line.partition("\t")[0] for line in done.stdout.splitlines() if line.endswith("\tTarget")} == expected


def test_an_editor_finds_the_makefiles_own_targets(project: Project) -> None:
    project.write(TEXT)
    files = re.findall(r"# Files\n(.*?)\n# Finished Make data base", project.make(*_VS_CODE_FLAGS).stdout, re.DOTALL)
    assert {name for text in files for name in _VS_CODE.findall(text)} - {"make:"} == {"all", "lib"}


@pytest.mark.parametrize("flags", ["-pq", "-qp", "-np", "-pRrq", "--print-data-base --question"])
def test_our_file_is_no_target_where_targets_are_listed(project: Project, flags: str) -> None:
    project.write(TEXT)
    blocks = project.make(*flags.split()).stdout.split("\n\n")
    shown = [block for block in blocks if f"{project.paths.fragment}:" in block]
    assert [block for block in shown if not block.startswith("# Not a target:\n")] == []


@pytest.mark.parametrize(
    "rule", ["%: ; @echo made $@\n", "% :: ; @echo made $@\n", ".DEFAULT: ; @echo made $@\n", "%:\n\t@echo made $@\n"]
)
def test_a_rule_for_anything_makes_our_file_in_no_listing(project: Project, rule: str) -> None:
    (project.folder / "other.mk").write_text(rule)
    for text in (f"{TEXT}Makefile other.mk: ;\n{rule}", f"{TEXT}Makefile other.mk: ;\ninclude other.mk\n"):
        project.write(text)
        assert f"made {project.paths.fragment}" not in project.make("-pq").stdout


def test_automake_takes_the_line_with_a_plain_name(project: Project) -> None:
    if not shutil.which("automake"):
        pytest.skip("no automake here")
    project.write(TEXT, line="")
    (project.folder / "configure.ac").write_text(
        "AC_INIT([x],[1])\nAM_INIT_AUTOMAKE([foreign -Wall -Werror])\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n"
    )
    page = (Path(__file__).parents[2] / "docs/how-to/editors.md").read_text()
    (line,) = re.findall(r"^-include .*", page, re.MULTILINE)
    (project.folder / "Makefile.am").write_text(f"all-local:\n\t@echo hi\n{line}\n")
    assert tool(project, "aclocal").returncode == 0
    assert tool(project, "automake", "--add-missing").stderr.count("warning") == 0
