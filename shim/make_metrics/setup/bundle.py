"""Writes the bundles: one file with all modules of a recipe line, and one with those of the walk, compiled.

Set-up writes them into `hot/__pycache__`, beside the interpreter's own compiled modules; `entry.py` loads them. A
bundle begins with a hash of eight bytes over the rest of the file, keyed by the interpreter's bytecode number. The rest
is a marshalled tuple: the code of `hot.bundle_loader`, and the arguments of its `install`. If a bundle is missing or
does not fit, the modules are imported one by one: that takes longer, and does the same.
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

from make_metrics.setup import installed_files

ROOT = Path(__file__).resolve().parent.parent.parent
LIMIT_BYTES = 1 << 20  # entry.py reads that many
_LOADER = "make_metrics.hot.bundle_loader"
# For each part: the modules to load at once, and those that it imports later.
PARTS = {
    "mm1": (("make_metrics.hot.line", "make_metrics.hot.recorder"), ()),
    "walk": (("make_metrics.walk.start",), ("make_metrics.walk.walk",)),
}


def path(part: str) -> Path:
    """The path of a part's bundle for this interpreter; entry.py builds the same path."""
    return ROOT / "make_metrics/hot/__pycache__" / f"{part}.{sys.implementation.cache_tag}"


def modules(starts: Iterable[str]) -> list[str]:
    """The names of modules and of all modules of ours that they import, each after its own imports."""
    names: dict[str, None] = {}
    for name in starts:
        _add_with_imports(name, names)
    return list(names)


def _add_with_imports(name: str, names: dict[str, None]) -> None:
    if name in names or not _source(name).is_file():
        return
    if package := name.rpartition(".")[0]:
        _add_with_imports(package, names)
    for imported in _imports(ast.parse(_source(name).read_bytes())):
        if imported.partition(".")[0] == "make_metrics":
            _add_with_imports(imported, names)
    names[name] = None


def _imports(tree: ast.Module) -> Iterator[str]:
    """The names that a module imports while it is loaded; a name may be a module or something in one."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _source(name: str) -> Path:
    path = ROOT / name.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _compiled(name: str) -> tuple[str, int, int, bytes]:
    """A module as `hot.bundle_loader.Module`."""
    source = _source(name)
    with source.open("rb") as file:
        status = os.fstat(file.fileno())
        code = compile(file.read(), str(source), "exec", dont_inherit=True, optimize=2)  # 2: without docstrings
    return str(source.relative_to(ROOT)), status.st_mtime_ns, status.st_size, marshal.dumps(code)


def _hash(content: bytes) -> bytes:
    return _imp.source_hash(int.from_bytes(importlib.util.MAGIC_NUMBER, "little"), content)


def _bundle(part: str) -> bytes:
    psutil = importlib.util.find_spec("psutil")
    beside = Path(psutil.origin).parent.parent if psutil and psutil.origin else ROOT
    first, later = PARTS[part]
    compiled = {name: _compiled(name) for name in modules((_LOADER, *first, *later))}
    loader_code = marshal.loads(compiled[_LOADER][3])  # noqa: S302 - compiled one line above
    content = marshal.dumps((loader_code, compiled, modules(first), str(beside)))
    return _hash(content) + content


def obstacle() -> str:
    """Why the bundles cannot be written; empty if they can.

    Their directory must be ours, and whoever can write there must be able to write the sources too.
    """
    folder = path("").parent
    try:
        folder.mkdir(exist_ok=True)
        status, sources = folder.lstat(), folder.parent.stat()
    except OSError as error:
        return f"{folder}: {error.strerror}"
    writable_by_others = status.st_mode & ~sources.st_mode & 0o022
    if not stat.S_ISDIR(status.st_mode) or {status.st_uid, sources.st_uid} != {os.geteuid()} or writable_by_others:
        return f"{folder} is not yours alone to write in"
    return "" if os.access(folder, os.W_OK) else f"{folder} is not writable"


def write() -> bool:
    """Write the bundles; gives whether they were written."""
    if obstacle():
        return False
    try:
        for part in PARTS:
            bundle = _bundle(part)
            if len(bundle) > LIMIT_BYTES:
                return False
            _replace(path(part), bundle)
    except OSError:
        return False
    installed_files.note(map(path, PARTS), ROOT)
    return True


def _replace(target: Path, content: bytes) -> None:
    """Replace a file in one step; whoever can read the sources can read the file."""
    scratch = target.with_name(f"{target.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    mode = stat.S_IMODE(_source(_LOADER).stat().st_mode) & 0o644
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        scratch.replace(target)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise


def fits() -> bool:
    """Whether the bundles exist and are what `write` would write now."""
    try:
        return all(_fits(part) for part in PARTS)
    except (OSError, ValueError, TypeError, EOFError):
        return False


def _fits(part: str) -> bool:
    bundle = path(part).read_bytes()
    if _hash(bundle[8:]) != bundle[:8]:
        return False
    _, compiled, *_ = marshal.loads(bundle[8:])  # noqa: S302 - the hash shows that it is unchanged
    first, later = PARTS[part]
    current = {name: _compiled(name) for name in modules((_LOADER, *first, *later))}
    return {name: module[:3] for name, module in compiled.items()} == {
        name: module[:3] for name, module in current.items()
    }
