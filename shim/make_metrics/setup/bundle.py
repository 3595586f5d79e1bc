"""The files that have all modules of a make's lines, and of its walk, compiled for one interpreter.

Set-up writes them beside the interpreter's own compiled modules, in `hot/__pycache__`; `entry.py` loads them. One
begins with eight bytes of hash, keyed by the number of the interpreter's bytecode, of all that follows: a marshalled
list of `hot/bundle_loader.py`'s code and what its `install` is given. Without the file, or where anything about it does
not fit, the modules are imported one by one: that takes longer, and does the same.
"""

from __future__ import annotations

import _imp
import ast
import importlib.util
import marshal
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT_BYTES = 1 << 20  # entry.py reads no more than that
_LOADER = "make_metrics.hot.bundle_loader"
# What a part loads at once, and what it asks for later.
PARTS = {
    "mm1": (("make_metrics.hot.line", "make_metrics.hot.recorder"), ()),
    "walk": (("make_metrics.walk.start",), ("make_metrics.walk.walk",)),
}


def path(part: str) -> Path:
    """Where a part's file is for this interpreter; entry.py makes up the same name."""
    return ROOT / "make_metrics/hot/__pycache__" / f"{part}.{sys.implementation.cache_tag}"


def modules(starts: Iterable[str]) -> list[str]:
    """The names of modules, and of those of ours that they import, each behind what it imports itself."""
    found: dict[str, None] = {}
    for name in starts:
        _follow(name, found)
    return list(found)


def _follow(name: str, found: dict[str, None]) -> None:
    if name in found or not _source(name).is_file():
        return
    if package := name.rpartition(".")[0]:
        _follow(package, found)
    for one in _imported(ast.parse(_source(name).read_bytes())):
        if one.partition(".")[0] == "make_metrics":
            _follow(one, found)
    found[name] = None


def _imported(tree: ast.Module) -> Iterator[str]:
    """What a module imports when it is loaded."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _source(name: str) -> Path:
    place = ROOT / name.replace(".", "/")
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def _compiled(name: str) -> tuple[str, int, int, bytes]:
    """A module as `hot.bundle_loader.Module`."""
    source = _source(name)
    with source.open("rb") as file:
        found = os.fstat(file.fileno())
        code = compile(
            file.read(), str(source), "exec", dont_inherit=True, optimize=2
        )  # 2: nobody reads docstrings there
    return str(source.relative_to(ROOT)), found.st_mtime_ns, found.st_size, marshal.dumps(code)


def _hash(packed: bytes) -> bytes:
    return _imp.source_hash(int.from_bytes(importlib.util.MAGIC_NUMBER, "little"), packed)


def _content(part: str) -> bytes:
    psutil = importlib.util.find_spec("psutil")
    beside = Path(psutil.origin).parent.parent if psutil and psutil.origin else ROOT
    first, later = PARTS[part]
    found = {name: _compiled(name) for name in modules((_LOADER, *first, *later))}
    loader = marshal.loads(found[_LOADER][3])  # noqa: S302 - from two lines above
    packed = marshal.dumps((loader, found, modules(first), str(beside)))
    return _hash(packed) + packed


def obstacle() -> str:
    """Why the files cannot be written, empty if they can: only in a directory of ours.

    Nobody may be able to write there who could not exchange the sources themselves.
    """
    folder = path("").parent
    try:
        folder.mkdir(exist_ok=True)
        found, sources = folder.lstat(), folder.parent.stat()
    except OSError as error:
        return f"{folder}: {error.strerror}"
    others = found.st_mode & ~sources.st_mode & 0o022
    if not stat.S_ISDIR(found.st_mode) or {found.st_uid, sources.st_uid} != {os.geteuid()} or others:
        return f"{folder} is not yours alone to write in"
    return "" if os.access(folder, os.W_OK) else f"{folder} is not writable"


def write() -> bool:
    """Write the files, if that is possible."""
    if obstacle():
        return False
    try:
        for part in PARTS:
            whole = _content(part)
            if len(whole) > LIMIT_BYTES:
                return False
            _put(path(part), whole)
    except OSError:
        return False
    return True


def _put(target: Path, whole: bytes) -> None:
    """Put a file in place at once; who may read the sources may read it."""
    scratch = target.with_name(f"{target.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    mode = stat.S_IMODE(_source(_LOADER).stat().st_mode) & 0o644
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(whole)
        scratch.replace(target)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def fits() -> bool:
    """Whether the files are there, and are what `write` would write now."""
    try:
        return all(_fits(part) for part in PARTS)
    except (OSError, ValueError, TypeError, EOFError):
        return False


def _fits(part: str) -> bool:
    whole = path(part).read_bytes()
    if _hash(whole[8:]) != whole[:8]:
        return False
    _, found, *_ = marshal.loads(whole[8:])  # noqa: S302 - its hash says that nothing happened to it
    first, later = PARTS[part]
    wanted = {name: _compiled(name) for name in modules((_LOADER, *first, *later))}
    return {name: one[:3] for name, one in found.items()} == {name: one[:3] for name, one in wanted.items()}
