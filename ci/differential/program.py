"""A generated program: makefiles, and how make is called. It is a list of pieces, each of which can be left out."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from ci.conformance.cases import Case

WORDS, ENVIRONMENT = "words of make", "environment"  # places of pieces that stand in no file
_SOURCES = {"one.c": "int one;\n", "two.c": "int two;\n", "three.in": "three\n", "sub/four.in": "four\n"}
# A shell of the project's own, which shows how often it is started.
_WRAPPER = '#!/bin/sh\necho started >>sh.log\nexec /bin/sh "$@"\n'
_INPUT = "first\nsecond\nthird\n"


@dataclass(frozen=True, slots=True)
class Piece:
    """A rule's head, a recipe line or another block of a makefile; or a word for make, or a setting before it.

    `place` is the file's name, or one of WORDS and ENVIRONMENT; `text` is without the newline at its end.
    """

    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Program:
    """What is run: the pieces in their order, and the name of the conformance suite's mode."""

    pieces: tuple[Piece, ...]
    mode: str

    def files(self) -> dict[str, str]:
        """The text of each makefile, by its name."""
        texts: dict[str, str] = {"Makefile": ""}
        for piece in self.pieces:
            if piece.place not in (WORDS, ENVIRONMENT):
                texts[piece.place] = texts.get(piece.place, "") + f"{piece.text}\n"
        return texts

    def command(self) -> str:
        """The call of make as a line for a shell."""
        settings = [piece.text for piece in self.pieces if piece.place == ENVIRONMENT]
        words = [piece.text for piece in self.pieces if piece.place == WORDS]
        if self.mode in ("jobs", "output"):  # which recipe stops the others would be a race
            words.insert(0, "-k")
        return " ".join([*(["env", *map(shlex.quote, settings)] if settings else []), '"$MAKE"',
                         *map(shlex.quote, words)])  # fmt: skip

    def write(self, folder: Path) -> Case:
        """Write the program as a case of the conformance suite. Make is called twice: the second call finds files."""
        work = folder / "in"
        for name, text in {**_SOURCES, **self.files()}.items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8", "surrogateescape"))
        wrapper = work / "tools" / "sh"
        wrapper.parent.mkdir(exist_ok=True)
        wrapper.write_text(_WRAPPER)
        wrapper.chmod(0o755)
        (work / "input").write_text(_INPUT)
        call = f'{self.command()} <input\necho "status $?"\n'
        (folder / "cmds").write_text(call + call)
        return Case(folder.name, folder)

    def __str__(self) -> str:
        """The makefiles and the call, for whoever wants to repeat it."""
        parts = [f"--- {name}\n{text}" for name, text in self.files().items()]
        return "".join(parts) + f"--- mode {self.mode}: {self.command()}\n"
