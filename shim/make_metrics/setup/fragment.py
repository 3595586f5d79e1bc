"""The fragment that makefiles include: its source, set-up's copy with this installation's values, the include line."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.hot import arguments

_PACKAGE = Path(__file__).resolve().parent.parent
_MAKE_ESCAPES = str.maketrans({"$": "$$", "#": "\\#"})
_FUNCTION_SYNTAX = frozenset(",()")  # an argument of a make function cannot hold these
_UNSAFE = re.compile(r"[^A-Za-z0-9._/+,@-]")


def source() -> Path:
    """The fragment's source: in the package, or in `make_include` of a checkout. Raises UserError without one."""
    for path in (_PACKAGE / "metrics.mk", _PACKAGE.parent.parent / "make_include" / "metrics.mk"):
        if path.is_file():
            return path
    raise UserError("this installation has no metrics.mk; install make-metrics again")


def entry() -> Path:
    """The path of entry.py, which the interpreter is started with for each recipe line."""
    return _PACKAGE / "entry.py"


def launcher() -> Path | None:
    """The path of the launcher; None if it was not built or cannot run here (another machine's, a noexec mount)."""
    path = _PACKAGE / "hot" / "launcher"
    if not os.access(path, os.X_OK):
        return None
    import subprocess  # only here: every command imports this module

    try:
        process = subprocess.run(
            [path, arguments.PROTOCOL], stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return path if process.returncode == 0 else None


def escape(path: Path) -> str:
    """A path as the value of a make variable."""
    return str(path).translate(_MAKE_ESCAPES)


def render(paths: Paths, *, compiled: bool = True) -> str:
    """The fragment with the paths of this interpreter, this package and these directories written into it.

    With `compiled` also the path of the launcher, if it can run here. Raises UserError if the interpreter's or the
    package's path is no plain word for make.
    """
    values = {"fragment": paths.fragment, "python": Path(sys.executable), "entry": entry(), "state": paths.state,
              "data": paths.data, "config": paths.config,
              "launcher": launcher() if compiled else None}  # fmt: skip
    for name in ("python", "entry"):
        if unsafe := _UNSAFE.search(str(values[name])):
            raise UserError(
                f"make cannot run {values[name]}: its path has {unsafe[0]!r} in it. "
                "Install make-metrics in an environment whose path has only letters, digits and . _ / + , @ -"
            )
    text = source().read_text()
    for name, value in values.items():
        definition = f"\n.metrics.baked.{name} :=\n"
        if text.count(definition) != 1:
            raise UserError(f"{source()} is damaged; install make-metrics again")
        text = text.replace(definition, f"{definition[:-1]} {escape(value)}\n" if value else definition)
    return text


def include_line(paths: Paths) -> str:
    """The include line that a Makefile ends with; a blank in the path stands after a backslash.

    The line names the home as "~" where it can, so that it is the same for everybody; make expands the "~", and also a
    "$" in it. The line names the file only if it exists: make would try to make a missing one by a "%:" rule (decision
    14).
    """
    home = str(Path.home())
    path = str(paths.fragment)
    if path.startswith(home + "/") and "$" not in home:
        path = "~" + path[len(home) :]
    name = path.translate(_MAKE_ESCAPES).replace(" ", "\\ ")
    if not _FUNCTION_SYNTAX.isdisjoint(path):
        return f"-include {name}"
    return f"-include $(if $(wildcard {name}),{name})"
