"""The fragment that makefiles include: its source, set-up's copy with this installation's values, the include line."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.hot import arguments, record_format
from make_metrics.setup import launcher_copy

_PACKAGE = Path(__file__).resolve().parent.parent
_MAKE_ESCAPES = str.maketrans({"$": "$$", "#": "\\#"})
_UNNAMEABLE = frozenset(":;=%$|&")  # no rule can name a file with one of these characters
_FUNCTION_SYNTAX = frozenset(",()")  # an argument of a make function cannot hold these
_UNSAFE = re.compile(r"[^A-Za-z0-9._/+,@-]")
# Comments and blank lines, but for the mark below, and for the two blank lines that are the value of .metrics.newline.
_UNREAD = re.compile(r"^(?:#(?! --- end of).*\n|\n(?!\n|endef))", re.MULTILINE)
_CONTINUED = re.compile(r"\\\n *")
# A part that waits (section 14 of the fragment), but for set-up's values; and what stands between its lines then.
_PART = re.compile(r"(?<=\n)(define \.metrics\.part\.(?!values\n)\S+\n)(.*?)(?=\nendef\n)", re.DOTALL)
_JOINT = "<>"
_READABLE = (
    "# Set-up has shortened it for make; make_include/metrics.mk, installed beside entry.py, is the same for people."
)
END = "# --- end of set-up's values\n"
_BAKED = re.compile(r"^(\.metrics\.baked\.(\w+) :=) ?(.*)$", re.MULTILINE)
_OTHERS = re.compile(r"^\.metrics\.for\.(\w+)\.(\w+) := (.*)\n", re.MULTILINE)
# What another kind of machine has of its own.
_NAMES = ("python", "entry", "launcher", "copy", "state", "handed", "data", "config")

Values = dict[str, str]  # set-up's values as make sees them, by name


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

    try:  # not DEVNULL: a chroot may have no /dev
        process = subprocess.run([path, arguments.PROTOCOL], input=b"", capture_output=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return path if process.returncode == 0 and process.stdout == arguments.ANSWER else None


def kind_of_machine() -> str:
    """The kind of this machine's programs, by the words that the fragment makes of MAKE_HOST."""
    machine = os.uname().machine
    if machine in ("x86_64", "amd64") or re.fullmatch(r"i\d86", machine):
        return "x86"
    if machine.startswith(("aarch64", "arm")):
        return "arm"
    return re.sub(r"\W", "_", machine.replace("ppc", "powerpc", 1))


def escape(path: Path) -> str:
    """A path as the value of a make variable."""
    return str(path).translate(_MAKE_ESCAPES)


def written() -> str:
    """The source as set-up writes it: without most comments, its long lines whole, and each part that waits one line.

    Each make reads it, and a line costs it about as much as a hundred characters. Raises UserError without a source.
    """
    first, rest = source().read_text().split("\n#\n", 1)
    lines = _CONTINUED.sub("", _UNREAD.sub("", rest))
    parts = _PART.sub(lambda part: part[1] + part[2].replace("\n", _JOINT), lines)
    return f"{first}\n{_READABLE}\n{parts}"


def render(paths: Paths, *, compiled: bool = True) -> str:
    """The fragment with the paths of this interpreter, this package and these directories written into it.

    With `compiled` also the paths of the launcher and of its copy, if it can run here. Raises UserError if the
    interpreter's or the package's path is no plain word for make.
    """
    compiled_one = launcher() if compiled else None
    copy = launcher_copy.of(paths, compiled_one)
    handed = Path(os.fsdecode(record_format.encode(os.fsencode(paths.state))))
    values = {"fragment": paths.fragment, "python": Path(sys.executable), "entry": entry(), "state": paths.state,
              "handed": handed, "data": paths.data, "config": paths.config,
              "launcher": compiled_one, "copy": None if _UNSAFE.search(str(copy)) else copy}  # fmt: skip
    for name in ("python", "entry"):
        if unsafe := _UNSAFE.search(str(values[name])):
            raise UserError(
                f"make cannot run {values[name]}: its path has {unsafe[0]!r} in it. "
                "Install make-metrics in an environment whose path has only letters, digits and . _ / + , @ -"
            )
    words = {name: escape(value) for name, value in values.items() if value} | {"machine": kind_of_machine()}
    if _UNNAMEABLE.isdisjoint(str(paths.fragment)):
        words["nameable"] = "1"
    text = written()
    for name in ("machine", "nameable", *values):
        definition = f"\n.metrics.baked.{name} :=\n"
        if text.count(definition) != 1:
            raise UserError(f"{source()} is damaged; install make-metrics again")
        text = text.replace(definition, f"{definition[:-1]} {words[name]}\n" if name in words else definition)
    return text


def keep_other_machines(text: str, earlier: str) -> str:
    """A fragment's text with the values that an earlier one has for other kinds of machines, which share this home."""
    others = "".join(
        f".metrics.for.{other}.{name} := {values[name]}\n"
        for other, values in sorted(read_values(earlier).items())
        for name in _NAMES
        if other not in ("", kind_of_machine()) and values.get(name)
    )
    return text.replace(END, others + END)


def read_values(text: str) -> dict[str, Values]:
    """The values that set-up has written into a fragment, by the kind of machine; "" for a kind that is not told."""
    own = {name: value for _, name, value in _BAKED.findall(text)}
    values: dict[str, Values] = {own["machine"] if own.get("machine") else "": own} if own.get("entry") else {}
    for kind, name, value in _OTHERS.findall(text):
        values.setdefault(kind, {"fragment": own.get("fragment", "")})[name] = value
    return values


def without_values(text: str) -> str:
    """A fragment's text without what set-up has written into it: the source of that fragment."""
    return _OTHERS.sub("", _BAKED.sub(r"\1", text))


def same(text: str, other: str) -> bool:
    """Whether two fragments have the same source and the same values; set-up on either machine may have written it."""
    ours, theirs = read_values(text), read_values(other)
    for values in (*ours.values(), *theirs.values()):
        for name in ("machine", "nameable"):  # of the file: only the machine that wrote it has them
            values.pop(name, None)
        for name in [name for name, value in values.items() if not value]:
            del values[name]
    return ours == theirs and without_values(text) == without_values(other)


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
