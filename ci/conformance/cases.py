"""The cases: the files of a folder below `tests/cases`, and the modes that each case is run in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

CASES = Path(__file__).resolve().parents[2] / "tests" / "cases"


@dataclass(frozen=True, slots=True)
class Mode:
    """A way to run every case.

    `addition` is added to the end of each makefile, for plain make and with the include line; `ours` is added instead
    where the include line follows. `separate` keeps standard output and standard error apart. `jobs` is the beginning
    of MAKEFLAGS; lines are then compared in any order. `off` switches recording off in the environment. `absent` has
    no fragment, `agreed` has an opt-in. With `recipes_change` the recipes do something else than their makefile says:
    the events are compared only if the case has a file for the mode.
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


_ONE_AFTER_THE_OTHER = (
    Mode("merged"),
    Mode("separate", separate=True),
    Mode("flags", addition="$(if ,$(SHELL))"),
    Mode("oneshell", addition=".ONESHELL:", recipes_change=True),
    Mode("chosen", addition="ifeq ($(origin .SHELLFLAGS),default)\n.SHELLFLAGS := -ec\nendif\n.ONESHELL:",
         ours="METRICS_ONESHELL := 1\n#\n#\n#", recipes_change=True),
    Mode("bash", addition="SHELL := /bin/bash"),
    Mode("env-bash", addition="SHELL := /usr/bin/env bash\n.SHELLFLAGS := -eu -o pipefail -c", recipes_change=True),
    Mode("python3", addition="SHELL := /usr/bin/python3", recipes_change=True),
    Mode("perl", addition="SHELL := /usr/bin/perl\n.SHELLFLAGS := -e", recipes_change=True),
    Mode("off", off=True),
    Mode("absent", absent=True),
    Mode("on", agreed=True),
    Mode("as-3.81", ours=".metrics.as.version := 3.81"),  # with this make, the hook of another version
    Mode("as-4.0", ours=".metrics.as.version := 4.0"),
)  # fmt: skip
_SEVERAL_AT_ONCE = {"jobs": "j4", "output": " -j4 -Oline"}


def _modes() -> Iterator[Mode]:
    """Each mode with recipes one after the other and with several at once: `flags`, `flags+jobs`, `flags+output`.

    For python3 and perl most recipes are no programs, and which of several fails first is a race: one after the other.
    """
    for mode in _ONE_AFTER_THE_OTHER:
        yield mode
        if not mode.separate and mode.name not in ("python3", "perl"):
            for name, jobs in _SEVERAL_AT_ONCE.items():
                full_name = name if mode.name == "merged" else f"{mode.name}+{name}"
                yield replace(mode, name=full_name, jobs=jobs, separate=True)


UNMEASURED = ("3.82",)  # makes that the fragment leaves alone
MODES = {mode.name: mode for mode in _modes()}
QUICK = ("merged", "oneshell")  # `oneshell` only for cases that state its events


@dataclass(frozen=True, slots=True)
class Case:
    """A folder: `in/` is copied to a fresh working folder, where the shell script `cmds` is run with $MAKE set.

    A case is run in every mode, unless its file `modes` says `only` or `not` and names modes or parts of their names.
    Optional files: `needs`, a shell command that fails where the case cannot be run; `events`, the events that are
    recorded (see `conformance.events`), `events.MODE` for a mode or a part of its name, `events.VERSION` for a version
    of make (3.81, 3.81-apple, 4.3, 4.4), `events.MODE.VERSION`; `slow`, which leaves the case out of the quick run.
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
        """The names of the modes to run the case in; raises ValueError for another file `modes`."""
        word, *names = self._text("modes").split() or ["not"]
        if word not in ("only", "not") or not MODES.keys() >= set(names):
            raise ValueError(f"{self.folder / 'modes'}: 'only' or 'not', then names of modes")
        return tuple(name for name in MODES if {name, *name.split("+")}.isdisjoint(names) == (word == "not"))

    @property
    def quick_modes(self) -> tuple[str, ...]:
        """The names of the modes of the quick run."""
        quick = {"merged", *(name for name in QUICK if (self.folder / f"events.{name}").is_file())}
        return tuple(name for name in self.modes if name in quick)

    @property
    def needs(self) -> str:
        """A shell command that fails where the case cannot be run; may be empty."""
        return self._text("needs").strip()

    def events(self, mode: Mode, make: str) -> str | None:
        """The events to expect in a mode with a version of make, one a line; None if the case does not state them."""
        if mode.off or mode.absent:
            return ""
        if make in UNMEASURED:
            return ""
        version = ".".join(make.partition("-")[0].split(".")[:2])
        modes = [f".{name}" for name in (mode.name, *mode.name.split("+"))]
        if not mode.recipes_change:
            modes.append("")
        versions = [f".{version}-apple"] if make.endswith("-apple") else []
        files = [f"events{name}{rest}" for name in modes for rest in (*versions, f".{version}", "")]
        return next((self._text(file) for file in files if (self.folder / file).is_file()), None)

    @property
    def slow(self) -> bool:
        """Whether the quick run leaves the case out."""
        return (self.folder / "slow").is_file()


def load(folder: Path = CASES, names: Sequence[str] = ()) -> list[Case]:
    """All cases of a folder, or the named ones; raises KeyError for a name that no case has."""
    cases = {path.name: Case(path.name, path) for path in sorted(folder.iterdir()) if (path / "cmds").is_file()}
    return [cases[name] for name in names] if names else list(cases.values())


def is_instrumented(path: Path) -> bool:
    """Whether a file of a case is a makefile that gets the include line."""
    return path.name in ("Makefile", "m2") or (path.suffix == ".mk" and not path.name.startswith("plain"))


def as_comment(line: str) -> str:
    """A comment of as many characters and words as the include line."""
    return f"#{line[1:]}"


def instrument(work: Path, mode: Mode, line: str | None) -> None:
    """End the makefiles below a folder with the mode's text and, unless it is None, with the include line.

    In place of the line its comment may stand there, for plain make.
    """
    addition = mode.ours if line and not line.startswith("#") and mode.ours else mode.addition
    for path in [path for path in work.rglob("*") if path.is_file() and is_instrumented(path)]:
        text = path.read_bytes()
        endings = [addition, line]
        if b"@INCLUDE@" in text:  # the case says where the include line stands
            # What a project sets before the line has its equivalent there in plain make, in as many lines.
            before, endings = (f"{addition}\n", []) if mode.ours and mode.addition else ("", [addition])
            text = text.replace(b"@INCLUDE@", f"{before}{line or ''}".encode())
        elif text and not text.endswith(b"\n"):
            text += b"\n"
        path.write_bytes(text + b"".join(ending.encode() + b"\n" for ending in endings if ending))


Normaliser = Callable[[str], str]


def normaliser(replaced: dict[str, str]) -> Normaliser:
    """A function that replaces in a text whatever differs from run to run."""

    def normalise(text: str) -> str:
        text = re.sub(r"GMfifo\d+", "GMfifoN", text)
        text = re.sub(r"fnm:\S+/Gm\w+", "fnm:GmN", text)
        for old, new in replaced.items():
            text = text.replace(old, new)
        return text

    return normalise
