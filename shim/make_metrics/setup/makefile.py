"""The include line in a Makefile: finding it, adding it, and taking it out again.

A Makefile may end without a newline, with a line that goes on (a backslash), or with CRLF. The line is added so that
make reads the rest as before, and so that taking it out leaves the file as it was, byte for byte: a file that ends
without a newline also ends without one after the line is added.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files.paths import printable_path

NAMES = ("GNUmakefile", "makefile", "Makefile")  # in make's order (GNU make manual, section 3.2)
_LINE = re.compile(
    rb"[ ]*(?:-include|sinclude|include)[ \t]+"
    rb"(?:\$\(if \$\(wildcard [^\r\n]*/metrics\.mk\),[^\r\n]*/metrics\.mk\)|[^\r\n]*/make-metrics/metrics\.mk)[ \t]*"
)
_INCLUDED = re.compile(rb"^[ ]*[-s]?include[ \t]+(.*)$", re.MULTILINE)
_IF_THERE = re.compile(rb"\$\(if \$\(wildcard (.*?)\),")
_ENDS_HERE = ("/dev/std", "/dev/fd/", "/proc/")  # make reads our standard input, which has an end
# With "-" as recipe prefix a line that begins with "-" is a recipe line.
_DASH_PREFIX = re.compile(rb"^\.RECIPEPREFIX[ \t]*:*=[ \t]*-", re.MULTILINE)


def find_makefile(name: str, directory: Path = Path()) -> Path:
    """The Makefile that a user names, or that make would read in a directory; raises UserError if there is none."""
    if name:
        path = directory / name
        if path.is_dir():
            raise UserError(f"{printable_path(path)} is a directory: name the Makefile in it")
        if not path.exists():
            raise UserError(f"there is no file {printable_path(path)}")
        return path
    for candidate in NAMES:
        if (directory / candidate).is_file():
            return directory / candidate
    raise UserError("there is no Makefile in this directory: change to the project's, or name the file")


def has_line(content: bytes) -> bool:
    """Whether a Makefile includes the fragment by a line such as set-up adds."""
    return any(_LINE.fullmatch(text.rstrip(b"\r\n")) for text in content.splitlines(keepends=True))


def endless_includes(path: Path) -> list[Path]:
    """What a Makefile includes by name and make would never read to its end: pipes, and devices but for /dev/null.

    The fragment's line counts: something else may have taken its place. Raises OSError if the Makefile cannot be read.
    """
    words: list[bytes] = []
    for text in _INCLUDED.findall(path.read_bytes()):
        match = _IF_THERE.match(text)
        words += [match[1]] if match else re.split(rb"(?<!\\)[ \t]+", text.strip())
    return [place for place in (path.parent / _as_path(word) for word in words) if _is_endless(place)]


def _as_path(word: bytes) -> Path:
    """The path that a makefile's word means, if no other variable or function is in it."""
    text = os.fsdecode(word).replace("\\ ", " ").replace("\\#", "#").replace("$$", "$")
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path.expanduser raises without a home


def _is_endless(path: Path) -> bool:
    try:
        status = path.stat()
        return stat.S_ISFIFO(status.st_mode) or (
            stat.S_ISCHR(status.st_mode)
            and status.st_rdev != Path(os.devnull).stat().st_rdev
            and not str(path).startswith(_ENDS_HERE)
        )
    except (OSError, ValueError):
        return False


def add_line(path: Path, line: str) -> bool:
    """Add the include line at a Makefile's end; False if there is one already, and nothing is changed.

    Raises UserError if the file cannot be read or written, or ends in the middle of a line.
    """
    content = _read(path)
    if has_line(content):
        return False
    newline = b"\r\n" if content.endswith(b"\r\n") or (b"\r\n" in content and b"\n" not in content[-1:]) else b"\n"
    encoded = os.fsencode(line)
    if _DASH_PREFIX.search(content):
        encoded = encoded.replace(b"-include", b"sinclude", 1)
    ends_line = not content or content.endswith(b"\n")
    last = content.rstrip(b"\r\n").rpartition(b"\n")[2] if content.endswith(newline) else content.rpartition(b"\n")[2]
    if not ends_line and _goes_on(last):
        raise UserError(f"{printable_path(path)} ends with a backslash: end its last line first, then run this again")
    # An empty line ends a line that goes on: "X = a \\" and then ours would be one line.
    separator = b"" if not content else (newline if _goes_on(last) else b"") if ends_line else newline
    _append(path, separator + encoded + (newline if ends_line else b""))
    return True


def remove_line(path: Path) -> bool:
    """Take the include lines out of a Makefile; False if there is none. Raises UserError as `add_line` does."""
    content = _read(path)
    kept: list[bytes] = []
    removed = False
    for text in content.splitlines(keepends=True):
        if not _LINE.fullmatch(text.rstrip(b"\r\n")):
            kept.append(text)
            continue
        removed = True
        if not text.endswith(b"\n") and kept:
            kept[-1] = kept[-1].removesuffix(b"\n").removesuffix(b"\r")
        elif len(kept) > 1 and not kept[-1].strip(b"\r\n") and _goes_on(kept[-2].rstrip(b"\r\n")):
            kept.pop()  # the empty line that `add_line` put between
    if removed:
        _rewrite(path, b"".join(kept))
    return removed


def _goes_on(text: bytes) -> bool:
    """Whether a line, without its end, is continued on the next: an odd number of backslashes at its end."""
    return (len(text) - len(text.rstrip(b"\\"))) % 2 == 1


def _read(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UserError(f"{printable_path(path)} is no regular file")
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {printable_path(path)}: {error.strerror}") from error


def _append(path: Path, text: bytes) -> None:
    try:
        with path.open("ab") as file:  # in place: mode, owner, hard and symbolic links stay
            file.write(text)
    except OSError as error:
        raise UserError(f"cannot write {printable_path(path)}: {error.strerror}") from error


def _rewrite(path: Path, content: bytes) -> None:
    """Shorten a file to a content that it mostly begins with; in place, for the same reason."""
    try:
        with path.open("r+b") as file:
            file.write(content)
            file.truncate()
    except OSError as error:
        raise UserError(f"cannot write {printable_path(path)}: {error.strerror}") from error
