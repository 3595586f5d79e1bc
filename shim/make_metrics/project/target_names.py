"""Which names of targets a repository spells: only those may leave the machine.

A person types names too, as the stem of a pattern (`ssh-%`) or as an argument that a rule for anything takes; makefiles
compute names from the goals, the user, the host, the branch, the environment. So a name counts if an explicit rule in a
makefile of the repository spells it. Makefiles are read back here, after the build and only after a yes.
"""

from __future__ import annotations

import fnmatch
import glob
import itertools
import os
import stat
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from make_metrics.dataclass import dataclass
from make_metrics.project import git_command
from make_metrics.project.makefile_rules import OPEN, Rules, matching

OTHER = "other"
_DEFAULT_NAMES = ("GNUmakefile", "makefile", "Makefile")
_MOST_FILES = 200
_MOST_BYTES = 1_000_000  # of one makefile
_MOST_BYTES_IN_ALL = 4_000_000
_ROUNDS = 8  # of makefiles that include others
# Targets of make's own pattern rules (make -p): no repository spells them, and they name no one.
_BUILT_IN = tuple(f"%.{suffix}" for suffix in ("a", "c", "dvi", "mod", "o", "s"))


@dataclass(frozen=True, slots=True)
class TargetNames:
    """The names of targets that makefiles spell, and the patterns, in the order of the text."""

    targets: frozenset[str] = frozenset()
    patterns: tuple[str, ...] = ()

    def public(self, target: str) -> str:
        """What may be sent for a target: its name if it is spelled, else the pattern that matches it, else "other"."""
        if target in self.targets:
            return target
        return matching(self.patterns, target) or matching(_BUILT_IN, target) or OTHER


def spelled_names(directory: str, makefiles: Sequence[str] = (), *, outermost: str = "") -> TargetNames:
    """The names that the makefiles of a make spell. Never raises; takes some seconds at most, mostly far less.

    `directory` is the one that make works in, `makefiles` those of its command line (-f), none for make's default
    ones. Only regular files of the directory's repository count, and of those only the ones that git tracks, unless git
    tracks none. Outside of a repository those below `outermost` count.
    """
    try:
        return _spelled_names(os.path.realpath(directory), makefiles, os.path.realpath(outermost or directory))
    except (OSError, ValueError, RecursionError, subprocess.SubprocessError):
        return TargetNames()


def _spelled_names(directory: str, makefiles: Sequence[str], outermost: str) -> TargetNames:
    repository = _repository_of(directory)
    root = repository or outermost
    rules, seen = Rules(), set[str]()
    room = _MOST_BYTES_IN_ALL
    wanted: list[str] = list(makefiles)
    if not wanted:
        wanted = [name for name in _DEFAULT_NAMES if os.path.lexists(f"{directory}/{name}")][:1]
    for _ in range(_ROUNDS):
        # Each name is looked up once only, and each file is read once.
        paths = [path for path in _files(wanted, directory, root) if path not in seen]
        paths = _of_repository(paths[: _MOST_FILES - len(seen)], _tails(wanted), root, is_repository=bool(repository))
        paths = [path for path in dict.fromkeys(paths) if path not in seen][: _MOST_FILES - len(seen)]
        if not paths:
            break
        for path in paths:
            seen.add(path)
            text = _text(path, min(room, _MOST_BYTES))
            room -= len(text)
            rules.add(text)
        wanted = rules.included(directory)
    return TargetNames(*rules.names())


def _repository_of(directory: str) -> str:
    """The root of the repository that a directory is in; empty if there is none, or if `.git` is none of git's."""
    for folder in (Path(directory), *Path(directory).parents):
        marker = folder / ".git"
        if os.path.lexists(marker):
            return str(folder) if not marker.is_dir() or os.path.lexists(marker / "HEAD") else ""
    return ""


def _files(names: Iterable[str], directory: str, root: str) -> list[str]:
    """The files below `root` that these names stand for; they may have wildcards."""
    paths: list[str] = []
    for name in names:
        if OPEN in name or not name:
            continue
        if glob.has_magic(name):
            below = (str(Path(directory) / each) for each in glob.iglob(name, root_dir=directory))  # noqa: PTH207
            paths += sorted(itertools.islice(below, _MOST_FILES))
        else:
            paths.append(str(Path(directory) / name))
    real_paths = (os.path.realpath(path) for path in dict.fromkeys(paths))
    return [path for path in dict.fromkeys(real_paths) if path.startswith(root.rstrip("/") + "/")]


def _tails(names: Iterable[str]) -> list[str]:
    """The ends of names that the text leaves open at their beginning, such as `mk/rules.mk` of `$(TOP)/mk/rules.mk`."""
    tails = dict.fromkeys(name.rpartition(OPEN)[2].lstrip("/") for name in names if OPEN in name)
    return [tail for tail in tails if sum(char.isalnum() for char in tail) > 2][:_MOST_FILES]


def _of_repository(paths: Sequence[str], tails: Sequence[str], root: str, *, is_repository: bool) -> list[str]:
    """Those of these files that are the repository's, and its files whose names have such an end."""
    if not is_repository:
        return list(paths)
    relative = {os.path.relpath(path, root): path for path in paths}
    if not relative and not tails:
        return []
    tracked = git_command.tracked_files(
        root, [*(f":(top,literal){name}" for name in relative), *(f":(top,glob)**/{tail}" for tail in tails)]
    )
    if tracked is None:
        return list(paths)
    mine = [path for name, path in relative.items() if name in tracked]
    found = [name for name in tracked if any(fnmatch.fnmatchcase(f"/{name}", f"*/{tail}") for tail in tails)]
    real_paths = (os.path.realpath(f"{root}/{name}") for name in sorted(found))
    return mine + [path for path in real_paths if os.path.relpath(path, root) in tracked]


def _text(path: str, limit: int) -> str:
    """A makefile's text up to a limit in bytes, cut at the end of a line; empty if there is no such file."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return ""
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(max(limit, 0) + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    except OSError:
        return ""
    if len(content) > limit:
        content = content[: content.rfind(b"\n", 0, limit) + 1]
    return content.decode("utf-8", "backslashreplace")
