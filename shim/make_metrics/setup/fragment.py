"""The fragment that makefiles include: where it is, and set-up's copy of it with this installation's values."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.hot import arguments

_PACKAGE = Path(__file__).resolve().parent.parent
_FOR_MAKE = str.maketrans({"$": "$$", "#": "\\#"})
_IN_A_FUNCTION = frozenset(",()")  # what a name cannot hold where it is an argument
_UNSAFE = re.compile(r"[^A-Za-z0-9._/+,@-]")


def source() -> Path:
    """The fragment of this installation: beside the package, or in `make_include` of a checkout."""
    for place in (_PACKAGE / "metrics.mk", _PACKAGE.parent.parent / "make_include" / "metrics.mk"):
        if place.is_file():
            return place
    raise UserError("this installation has no metrics.mk; install make-metrics again")


def entry() -> Path:
    """The file that the interpreter is started with for each recipe line."""
    return _PACKAGE / "entry.py"


def launcher() -> Path | None:
    """The compiled fast path; None if it was not built, or cannot run here (another machine's, a noexec mount)."""
    path = _PACKAGE / "hot" / "launcher"
    if not os.access(path, os.X_OK):
        return None
    try:
        done = subprocess.run(
            [path, arguments.PROTOCOL], stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return path if done.returncode == 0 else None


def render(paths: Paths, *, compiled: bool = True) -> str:
    """The fragment with this interpreter, this package and these directories written into it.

    The compiled fast path is named in it where it can run, unless `compiled` is false. Raises UserError when make could
    not be given the interpreter's or the package's path as one plain word.
    """
    values = {"fragment": paths.fragment, "python": Path(sys.executable), "entry": entry(), "state": paths.state,
              "data": paths.data, "config": paths.config,
              "launcher": (launcher() if compiled else None) or ""}  # fmt: skip
    for name in ("python", "entry"):
        if found := _UNSAFE.search(str(values[name])):
            raise UserError(
                f"make cannot run {values[name]}: its path has {found[0]!r} in it. "
                "Install make-metrics in an environment whose path has only letters, digits and . _ / + , @ -"
            )
    text = source().read_text()
    for name, value in values.items():
        blank = f"\n.metrics.baked.{name} :=\n"
        if text.count(blank) != 1:
            raise UserError(f"{source()} is damaged; install make-metrics again")
        text = text.replace(blank, f"{blank[:-1]} {str(value).translate(_FOR_MAKE)}".rstrip() + "\n")
    return text


def include_line(paths: Paths) -> str:
    """The line that a Makefile ends with; make takes a blank in a file's name after a backslash.

    It is the same for everyone whose home is elsewhere, where it can be: make expands the "~", and a "$" in it. Where
    there is no such file it names none: a rule for any target ("%:") would be asked to make that (decision 14).
    """
    home = str(Path.home())
    path = str(paths.fragment)
    if path.startswith(home + "/") and "$" not in home:
        path = "~" + path[len(home) :]
    name = path.translate(_FOR_MAKE).replace(" ", "\\ ")
    if not _IN_A_FUNCTION.isdisjoint(path):
        return f"-include {name}"
    return f"-include $(if $(wildcard {name}),{name})"
