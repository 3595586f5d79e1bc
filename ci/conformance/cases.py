"""The cases: what a folder of `tests/cases` holds, and the modes that a case is run in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

CASES = Path(__file__).resolve().parents[2] / "tests" / "cases"


@dataclass(frozen=True, slots=True)
class Mode:
    """A way to run every case: what is added to the end of each makefile, plain and ours alike, and how it is compared.

    `ours` is added before the include line only; `separate` keeps standard output and error apart; `jobs` is what
    MAKEFLAGS starts with, and lines are then compared in any order; `off` switches recording off in the environment;
    `absent` is for a developer who has not set anything up; `agreed` is for one who has said yes; with `recipes_change`
    the recipes do something else than they say in their makefile, so that the case's events are not looked for.
    """

    name: str
    addition: str = ""
    ours: str = ""
    separate: bool = False
    jobs: str = ""
    off: bool = False
    absent: bool = False
    agreed: bool = False
    recipes_change: bool = False


_ONE_BY_ONE = (
    Mode("merged"),
    Mode("separate", separate=True),
    Mode("flags", addition="# this comment names SHELL"),
    Mode("oneshell", addition=".ONESHELL:", recipes_change=True),
    Mode("chosen", addition="ifeq ($(origin .SHELLFLAGS),default)\n.SHELLFLAGS := -ec\nendif\n.ONESHELL:",
         ours="METRICS_ONESHELL := 1", recipes_change=True),
    Mode("bash", addition="SHELL := /bin/bash"),
    Mode("env-bash", addition="SHELL := /usr/bin/env bash\n.SHELLFLAGS := -eu -o pipefail -c", recipes_change=True),
    Mode("python3", addition="SHELL := /usr/bin/python3", recipes_change=True),
    Mode("perl", addition="SHELL := /usr/bin/perl\n.SHELLFLAGS := -e", recipes_change=True),
    Mode("off", off=True),
    Mode("absent", absent=True),
    Mode("on", agreed=True),
    Mode("as-3.81", ours=".metrics.as.version := 3.81"),  # the hook that these versions get, on this one
    Mode("as-4.0", ours=".metrics.as.version := 4.0"),
)  # fmt: skip
_AT_ONCE = {"jobs": "j4", "output": " -j4 -Oline"}


def _modes() -> Iterator[Mode]:
    """Each mode with recipes one by one, and with several at once: `flags`, `flags+jobs`, `flags+output`.

    But for shells that most recipes are no programs for: which of several fails first is a race.
    """
    for mode in _ONE_BY_ONE:
        yield mode
        if not mode.separate and mode.name not in ("python3", "perl"):
            for name, jobs in _AT_ONCE.items():
                both = name if mode.name == "merged" else f"{mode.name}+{name}"
                yield replace(mode, name=both, jobs=jobs, separate=True)


MODES = {mode.name: mode for mode in _modes()}
QUICK = ("merged",)


@dataclass(frozen=True, slots=True)
class Case:
    """A folder: `in/` is copied to a fresh working folder, `cmds` is a shell script that is run there with $MAKE set.

    Every case is run in every mode, unless `modes` says otherwise: `only` or `not`, and names of modes, or of a part of
    them. Also optional: `needs` (a shell command that succeeds where the case can be run), `events` (what is recorded,
    see `conformance.events`), `events.MODE` (in that mode, or with that part of one), `events.VERSION` (of make: 4.3,
    4.4) and `events.MODE.VERSION`, `slow` (a marker: not in the quick run).
    """

    name: str
    folder: Path

    def _text(self, file: str) -> str:
        path = self.folder / file
        return path.read_text() if path.is_file() else ""

    @property
    def about(self) -> str:
        """What the case shows, one line."""
        return self._text("about").strip()

    @property
    def modes(self) -> tuple[str, ...]:
        """The names of the modes to run the case in; raises ValueError for a file that does not say so."""
        word, *named = self._text("modes").split() or ["not"]
        if word not in ("only", "not") or not MODES.keys() >= set(named):
            raise ValueError(f"{self.folder / 'modes'}: 'only' or 'not', and names of modes")
        return tuple(name for name in MODES if {name, *name.split("+")}.isdisjoint(named) == (word == "not"))

    @property
    def needs(self) -> str:
        """A shell command whose failure means that the case cannot be run here; may be empty."""
        return self._text("needs").strip()

    def events(self, mode: Mode, make: str) -> str | None:
        """The events that are expected in a mode of a version of make, one a line; None if the case does not say."""
        if mode.off or mode.absent:
            return ""
        if mode.recipes_change:
            return None
        version = ".".join(make.split(".")[:2])
        modes = [f".{name}" for name in (mode.name, *mode.name.split("+"))]
        files = [f"events{name}{rest}" for name in (*modes, "") for rest in (f".{version}", "")]
        return next((self._text(file) for file in files if (self.folder / file).is_file()), None)

    @property
    def slow(self) -> bool:
        """Whether the quick run leaves the case out."""
        return (self.folder / "slow").is_file()


def load(folder: Path = CASES, names: Sequence[str] = ()) -> list[Case]:
    """All cases of a folder, or the named ones; raises KeyError for a name that is none."""
    found = {path.name: Case(path.name, path) for path in sorted(folder.iterdir()) if (path / "cmds").is_file()}
    return [found[name] for name in names] if names else list(found.values())


def is_instrumented(path: Path) -> bool:
    """Whether a file of a case is a makefile that gets the include line."""
    return path.name in ("Makefile", "m2") or (path.suffix == ".mk" and not path.name.startswith("plain"))


def instrument(work: Path, mode: Mode, line: str | None) -> None:
    """Add the mode's text, and our line unless it is None, to the end of the makefiles below a folder."""
    added = [text for text in (mode.addition if not (line and mode.ours) else mode.ours, line) if text]
    for path in [found for found in work.rglob("*") if found.is_file() and is_instrumented(found)]:
        old = path.read_bytes()
        parts = [old] if not old or old.endswith(b"\n") else [old, b"\n"]
        if b"@INCLUDE@" in old:  # the case says itself where the line stands
            parts = [old.replace(b"@INCLUDE@", (line or "").encode())]
            added_here = [text for text in added if text != line]
        else:
            added_here = added
        path.write_bytes(b"".join([*parts, *[text.encode() + b"\n" for text in added_here]]))


Normaliser = Callable[[str], str]


def normaliser(replaced: dict[str, str]) -> Normaliser:
    """A function that takes what differs from run to run out of a text."""

    def normal(text: str) -> str:
        text = re.sub(r"GMfifo\d+", "GMfifoN", text)
        text = re.sub(r"fnm:\S+/Gm\w+", "fnm:GmN", text)
        for old, new in replaced.items():
            text = text.replace(old, new)
        return text

    return normal
