"""Which names the text of a makefile spells."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from make_metrics.project.makefile_rules import OPEN, Rules, matching


def spelled(text: str) -> tuple[set[str], list[str]]:
    rules = Rules()
    rules.add(text)
    targets, patterns = rules.names()
    return set(targets), list(patterns)


@pytest.mark.parametrize(
    ("text", "targets", "patterns"),
    [
        ("all: a\n\t@echo x: y\na b: ; @echo c: d\n", {"all", "a", "b"}, []),
        ("a b:: c\nd e &: f\ng h&: i\n./j:\n", {"a", "b", "d", "e", "g", "h", "j"}, []),
        ("ssh-%: ; @:\n%: ; @:\n.DEFAULT: ; @:\n%.o: %.c\n", set(), ["ssh-%", "%.o"]),
        (".PHONY: start stop $(ARGS)\n", {"start", "stop"}, []),
        ("$(eval $(ARGS):;@:)\n$(MAKECMDGOALS): ; @:\n$(filter-out $@,$(MAKECMDGOALS)): ; @:\n", set(), []),
        ("deploy: deploy-$(USER)\ndeploy-$(USER): ; @:\n", {"deploy"}, ["deploy-%"]),
        ("NAMES := a b\n$(NAMES): ; @:\n${NAMES:=.x}: ; @:\n", {"a", "b"}, []),
        ("ALL = $(FIRST) c\nFIRST += a\nFIRST += b\n$(ALL): ; @:\n", {"a", "b", "c"}, []),
        ("X := $(shell whoami)\n$(X): ; @:\nto-$(X): ; @:\nY != whoami\nof-$(Y): ;\n", set(), ["to-%", "of-%"]),
        ("L := a b\n$(addprefix test-,$(L)) $(addsuffix -x,$(L)): test-%: ;\n", {"test-a", "test-b", "a-x", "b-x"},
         ["test-%"]),
        ("$(addprefix at-,$(HOSTS)): at-%: x ;\n", set(), ["at-%"]),
        ("define RULE\nbuild-$(1): x\n\t@echo\nplain: y\nendef\nlater:\n", {"later"}, ["build-%"]),
        ("define A\ndefine B\nendef\nx: y\nendef\nz:\n", {"z"}, []),
        ("# a: b\n# c \\\nd: e\nf: g # h: i\n", {"f"}, []),
        ("a := b: c\nexport d = e: f\noverride g ::= h: i\nj:k := l\nvpath %.c src:lib\n", {"j"}, []),
        ("ifeq (a:b,c)\nx:\nelse ifdef d\ny:\nendif\n", {"x", "y"}, []),
        ("two \\\n three: four\n\t@echo \\\nfive: six\n", {"two", "three"}, []),
        (".RECIPEPREFIX = >\na:\n>b: c\n\td: e\n", {"a"}, []),
        ("with\\:colon: x\n*.txt: y\nlib(member.o): z\n~/home: ;\na\\%b: ;\n", {"with:colon"}, []),
        ("a%b%c: ;\n.c.o: ;\n.SUFFIXES: .c\n", set(), ["a%b%c", "%.o"]),
        ("prod: HOST = db1\nstage: private X := y\n", {"prod", "stage"}, []),
        ("$(info note: this)\n$(foreach x,a b,$(eval $(x): ;))\n", set(), []),
        (f"a{OPEN}b: ;\n", {"ab"}, []),
        ("A = $(B)\nB = $(A)\n$(A): ;\nx-$(A): ;\n", set(), ["x-%"]),
        ("a:\r\n\t@:\r\nb: \\\r\n c\r\n", {"a", "b"}, []),
    ],
)  # fmt: skip
def test_only_what_the_text_spells_is_a_name(text: str, targets: set[str], patterns: list[str]) -> None:
    assert spelled(text) == (targets, patterns)


def test_included_files_are_found_as_far_as_their_names_are_spelled() -> None:
    rules = Rules()
    rules.add(
        "include a.mk b.mk\n-include $(wildcard mk/*.mk)\nsinclude $(TOP)/c.mk\nD = d.mk\ninclude $(D) $(CURDIR)/e.mk\n"
    )
    assert rules.included("/p") == ["a.mk", "b.mk", "mk/*.mk", f"{OPEN}/c.mk", "d.mk", "/p/e.mk"]


@pytest.mark.parametrize(
    ("patterns", "target", "pattern"),
    [
        (["ssh-%"], "ssh-db1.corp", "ssh-%"),
        (["ssh-%"], "ssh-", ""),
        (["ssh-%"], "ssh", ""),
        (["d-%", "d-x-%"], "d-x-y", "d-x-%"),
        (["%-a", "b-%"], "b-c-a", "%-a"),
        (["a%b%c"], "axb%c", "a%b%c"),
        (["a%b%c"], "axbyc", ""),
        (["%.o"], "src/a.o", "%.o"),
        (["src/%.o"], "other/a.o", ""),
        (["lib%"], "out/libx", "lib%"),
    ],
)
def test_the_pattern_is_the_one_that_make_would_choose(patterns: list[str], target: str, pattern: str) -> None:
    assert matching(patterns, target) == pattern


@given(st.text(alphabet="ab:%$(){}=\\ \t\n#.-;,include definePHONY", max_size=200))
def test_no_text_raises_and_no_name_holds_what_is_open(text: str) -> None:
    targets, patterns = spelled(text)
    assert not any(OPEN in name or "$" in name for name in (*targets, *patterns))
    assert not any("%" in name for name in targets)


def test_a_hostile_text_takes_no_long_time() -> None:
    doubling = "".join(f"V{number} = $(V{number + 1})-$(V{number + 1}) $(V{number + 1})\n" for number in range(30))
    text = doubling + "V30 = a b c d\n$(V0)$(V1)$(V2): ;\n" + "$(" * 20_000 + ": x\n" + "a" * 500_000 + ":\n"
    start = time.process_time()
    spelled(text)
    assert time.process_time() - start < 10
