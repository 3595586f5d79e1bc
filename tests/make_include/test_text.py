"""The fragment's text: short lines, names that make does not export, and sections that say what they decide."""

from __future__ import annotations

import re
import string
from pathlib import Path

from make_metrics.files.paths import Paths
from make_metrics.setup import fragment
from tests.support.project import ROOT, SOURCE

FRAGMENT = ROOT / "make_include/metrics.mk"
MAKES_OWN = {"MAKEFILE_LIST", "SHELL", ".SHELLFLAGS", ".DEFAULT_GOAL"}


def test_no_line_is_longer_than_120_columns() -> None:
    for path in (FRAGMENT, *(SOURCE / "make_metrics/hot").rglob("*.[ch]"), ROOT / "tests/support/launcher_driver.c"):
        assert [line for line in path.read_text().splitlines() if len(line) > 120] == []


def test_make_exports_none_of_its_variables() -> None:
    text = FRAGMENT.read_text()
    names = set(re.findall(r"^(?:define )?([\w.]+) *[:+?]?=", text, re.MULTILINE))
    names |= set(re.findall(r"\$\(foreach ([\w.]+),", text)) | set(re.findall(r"^define ([\w.]+)", text, re.MULTILINE))
    assert len(names) > 60
    assert {name for name in names if not name.startswith(".metrics.")} <= MAKES_OWN


def test_a_long_line_is_continued_where_make_drops_blanks() -> None:
    """Behind a function's name; anywhere else the continuation would put a blank into the value."""
    continued = re.findall(r"(.*)\\\n", FRAGMENT.read_text())
    assert len(continued) > 10
    assert [line for line in continued if not re.search(r"\$\((\w+|\w+-\w+) $", line)] == []


def test_each_section_says_what_it_decides() -> None:
    headings = re.findall(r"^# --- (\d+)\. (.*?) -*$", FRAGMENT.read_text(), re.MULTILINE)
    assert [int(number) for number, _ in headings] == list(range(1, len(headings) + 1))
    assert all("?" in title for _, title in headings)


def test_no_variable_that_make_3_81_expands_is_replaced_meanwhile() -> None:
    """That make goes on reading memory that it has freed."""
    text = re.sub(r" \\\n *", " ", FRAGMENT.read_text())
    replaced, conditions = [], []
    for line in text.splitlines():
        if re.match(r"(if(eq|neq|def|ndef)|define)\b", line):
            conditions.append(line)
        elif line.startswith("else"):
            conditions[-1] += line
        elif line in ("endif", "endef"):
            conditions.pop()
        found = re.match(r"(\.metrics\.[\w.]+) = .*\$\(eval \1 :?=.*\)\$\(\1\)$", line)
        if found and not re.search(
            r"\.metrics\.reads|ifeq .*\.metrics\.version\),3\.81.*else|part\.(flags|late)", " ".join(conditions)
        ):
            replaced.append(found[1])
    # No pipe is looked for with 3.81: it reads no file.
    assert replaced == [".metrics.open.pipes"]


def test_no_part_that_waits_is_read_by_make_3_81_as_it_is_expanded() -> None:
    """There a variable that reads a part, and empties itself first, is emptied before, and the part is read at once."""
    text = re.sub(r" \\\n *", " ", FRAGMENT.read_text())
    waiting = re.findall(r"^(\.metrics\.read\.\w+) = \$\(eval \1 :=\)\$\(eval (.*)\)$", text, re.MULTILINE)
    assert len(waiting) == 3
    for name, part in waiting:
        at_once = rf"^ifeq \((\$\(\.metrics\.reads\)|\$\(and \$\(\.metrics\.reads\),.*\)),\)\n{re.escape(name)} :=\n"
        assert re.search(at_once + re.escape(f"$(eval {part})") + "\nendif$", text, re.MULTILINE), name


def test_set_up_and_the_fragment_know_the_same_characters_that_no_rule_can_name() -> None:
    text = re.sub(r" \\\n *", " ", FRAGMENT.read_text())
    (value,) = re.findall(r"^\.metrics\.unnameable = (.*)$", text, re.MULTILINE)
    wanted = set(re.findall(r"\$\(findstring (\S+?),\$1\)", value.replace("$$", "$")))
    assert len(wanted) == 7
    for character in wanted:
        paths = Paths(data=Path(f"/home/a{character}b"), config=Path("/c"), state=Path("/s"))
        assert "\n.metrics.baked.nameable :=\n" in fragment.render(paths, compiled=False)
    paths = Paths(data=Path("/home/" + "".join(set(string.printable) - set(string.whitespace) - wanted)),
                  config=Path("/c"), state=Path("/s"))  # fmt: skip
    assert "\n.metrics.baked.nameable := 1\n" in fragment.render(paths, compiled=False)
