"""A program from a seed: rules of every kind, settings, options and goals."""

from __future__ import annotations

from random import Random

from ci.differential import settings
from ci.differential.lines import recipe_line
from ci.differential.program import ENVIRONMENT, WORDS, Piece, Program

_HEADS = (
    "{0}:", "{0}: {1}", "{0}: {1} {2}", "{0} {1}:", "{0} {1} &: {2}", "{0}:: {1}", "{0}::", "{0}: | {1}",
    "{0}: one.c | sub", "%.o: %.c", "%.o: %.c\n{0}: one.o two.o", "%.x %.y: %.c\n{0}: one.x one.y",
    "one.o two.o: %.o: %.c\n{0}: one.o two.o", ".c.o:\n{0}: one.o", "%:", "%: %.in\n{0}: three",
    "lib%.a: one.c\n{0}: libz.a", "{0}: %: {1}", "{0}/sub/%: %.c\n{0}: {0}/sub/one", "{0}: $(wildcard *.c)",
    "{0}: $$(firstword $(B)) {1}", "archive(one.o): one.c\n{0}: archive(one.o)", "{0}: ./one.c", "./{0}: {1}",
    "$(A)x: {1}\n{0}: $(A)x", "{0}: .WAIT {1}", "we\\ ird: one.c\n{0}: we\\ ird", "q'q:\n{0}: q'q",
    "p\\%p:\n{0}: p\\%p", "n$$n:\n{0}: n$$n", "h\\#h:\n{0}: h\\#h", "e=e:\n{0}: e=e", "é:\n{0}: é", "{0}:\n{0}: {1}",
    "{0}.c:\n{0}: {0}.o", "{0}: no-such-file", "$(foreach i,x y,{0}$i): {1}\n{0}: {0}x {0}y",
)  # fmt: skip
_GOALS = (
    "all", "a", "b", "c", "d", "one.o", "no-such", "one.c", "three", "clean", "A=command line", "B:=x",
    "SHELL=/bin/bash", "SHELL=/bin/sh", ".SHELLFLAGS=-ec", "e", "SHELL=./tools/sh", "./a", "libz.a",
)  # fmt: skip
_MODES = ("merged", "separate", "separate", "jobs", "output")
_TARGETS = ("a", "b", "c", "d")


def _rule(random: Random, place: str, target: str, prefix: str) -> list[Piece]:
    head = random.choice(_HEADS).format(target, *random.sample(_TARGETS, 2))
    if random.random() < 0.15:
        *before, last = head.split("\n")
        return [Piece(place, "\n".join([f"{before[0]} ;{recipe_line(random, '')}", last] if before else
                                       [f"{last} ;{recipe_line(random, '')}"]))]  # fmt: skip
    # Of two heads the recipe belongs to the first.
    first, *others = head.split("\n")
    lines = [recipe_line(random, prefix) for _ in range(random.choice((0, 1, 1, 2, 3)))]
    return [Piece(place, first), *(Piece(place, line) for line in lines), *(Piece(place, other) for other in others)]


def _makefile(random: Random, place: str) -> list[Piece]:
    pieces = [Piece(place, settings.special(random)) for _ in range(random.choice((0, 1, 2, 3)))]
    pieces += [Piece(place, settings.variable(random)) for _ in range(random.choice((0, 1, 2)))]
    pieces += [Piece(place, settings.shell(random)) for _ in range(random.choice((0, 0, 0, 1, 1, 2)))]
    random.shuffle(pieces)
    prefix = "\t"
    if any(".RECIPEPREFIX" in piece.text for piece in pieces):
        prefix = ">"
    pieces.append(Piece(place, f"all: {' '.join(random.sample(_TARGETS, random.choice((1, 2, 3))))}"))
    for target in random.sample(("all", *_TARGETS), random.choice((1, 2, 3, 4))):
        pieces += _rule(random, place, target, prefix)
        if random.random() < 0.15:
            pieces.append(Piece(place, settings.special(random)))
        if random.random() < 0.05:
            pieces.append(Piece(place, settings.shell(random)))
    if random.random() < 0.9:
        pieces.append(Piece(place, f"{' '.join(_TARGETS)}:"))  # those without a rule so far
    return pieces


def _nested(random: Random) -> list[Piece]:
    """The makefile of nested makes: a recipe that is printed, so that "make" always says where it is."""
    place = "nested.mk"
    lines = [Piece(place, recipe_line(random)) for _ in range(random.choice((0, 1, 2)))]
    lines = [line for line in lines if "nested.mk" not in line.text]
    head = Piece(place, random.choice(("n:", "n x y z:", "%:\n\t@echo any $@\nn:")))
    rest = [Piece(place, settings.shell(random))] if random.random() < 0.3 else []
    return [*rest, head, Piece(place, "\techo nested $@ at $(MAKELEVEL) '$(A)'"), *lines]


def generate(seed: int, *, names_shell: bool = True) -> Program:
    """The program of a seed; the same in every version of Python that has the same random.Random.

    Unless it `names_shell`, nothing in it names SHELL: no makefile could show it, so that make has the SHELL hook.
    """
    random = Random(seed)  # noqa: S311 - not for secrets
    pieces = _makefile(random, "Makefile")
    if any("nested.mk" in piece.text for piece in pieces):
        pieces += _nested(random)
    goals = random.sample(_GOALS, random.choice((0, 0, 0, 1, 1, 2, 3)))
    pieces += [Piece(WORDS, word) for word in [*settings.options(random), *goals]]
    pieces += [Piece(ENVIRONMENT, setting) for setting in settings.environment(random)]
    mode = random.choice(_MODES)
    return Program(tuple(piece for piece in pieces if names_shell or "SHELL" not in piece.text), mode)
