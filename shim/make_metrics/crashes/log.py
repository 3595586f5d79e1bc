"""The log of our own failures, to read: what failed, and what became of the report; `hot.failure_log` writes it."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from make_metrics import environment
from make_metrics.combine.event import timestamp
from make_metrics.crashes.report import Entry, Failure, Frame
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path
from make_metrics.files.read import read_file
from make_metrics.files.write import write_file
from make_metrics.hot import failure_log

KEEP_NS = 90 * 86_400_000_000_000
_DAMAGED_NS = 3_600_000_000_000


def note(
    error: BaseException, *, part: str, paths: Paths | None = None, environ: Mapping[str, str] | None = None
) -> None:
    """Write a failure of the part `part` down; never raises, and does nothing where recording is off.

    `environ` is all that counts of the environment for whether it may be reported. Without it that is this process's
    and, below a make, those of all makes above.
    """
    with contextlib.suppress(Exception):
        paths = paths or Paths.from_environment()
        given = os.environ if environ is None else environ
        if environment.ceiling(given) == "off" or os.path.lexists(paths.off_file):
            return
        failure_log.write_failure(
            os.fsencode(paths.state),
            error,
            part=part,
            environ={os.fsencode(name): os.fsencode(value) for name, value in given.items()},
            above=environ is None and given.get("MAKELEVEL", "0") not in ("", "0"),
        )


def entries(paths: Paths) -> list[Entry]:
    """What is in the log, the latest first. What cannot be read is left out; nothing is raised for it."""
    found = []
    for path in _files(paths, failure_log.ENTRY_SUFFIX):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            found.append(_read(path))
    return sorted(found, key=lambda entry: entry.last_ns, reverse=True)


def lines(paths: Paths, count: int) -> list[str]:
    """The last failures in the log, for people: a line each, and one for those that are not shown."""
    found = entries(paths)
    said = [_line(entry) for entry in found[:count]]
    return said + ([f"and {len(found) - count} more in {printable_path(paths.crashes)}"] if len(found) > count else [])


def _line(entry: Entry) -> str:
    failure = entry.failures[-1] if entry.failures else Failure("?", "", ())
    way = " > ".join(f"{frame.ours or frame.file}:{frame.line} {frame.function}" for frame in failure.frames)
    said = f"{timestamp(entry.last_ns)[:19]}Z {entry.part}, in {entry.directory}: {failure.type}: {failure.text}; {way}"
    plain = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in said)
    return f"{plain} ({printable_path(entry.path)})"


def _files(paths: Paths, ending: bytes) -> list[Path]:
    try:
        if not stat.S_ISDIR(paths.crashes.lstat().st_mode):
            return []
        return [path for path in paths.crashes.iterdir() if os.fsencode(path.name).endswith(ending)]
    except OSError:
        return []


def _read(path: Path) -> Entry:
    """An entry from its file; raises OSError, or what comes of a file that `hot.failure_log` has not written."""
    content = read_file(path)
    given = json.loads(content or b"")
    if given["format"] != failure_log.FORMAT or type(given["time_ns"]) is not int:
        raise ValueError("another format")
    texts = ("id", "part", "version", "python", "system", "machine", "make", "directory", "package")
    if not all(isinstance(given[name], str) for name in texts):
        raise ValueError("no texts")
    limits = given["limits"]
    return Entry(
        path=path,
        id=given["id"],
        first_ns=given["time_ns"],
        last_ns=path.lstat().st_mtime_ns,
        part=given["part"],
        version=given["version"],
        python=given["python"],
        system=given["system"],
        machine=given["machine"],
        make=given["make"],
        directory=given["directory"],
        allowed=bool(limits) and all(_lets_out(*one) for one in limits),
        failures=tuple(_failure(one, given["package"]) for one in given["errors"]),
        became=_became(path),
    )


def _lets_out(do_not_track: str, make_metrics: str) -> bool:
    return environment.ceiling({"DO_NOT_TRACK": do_not_track, "MAKE_METRICS": make_metrics}) == "on"


def _failure(given: dict[str, Any], package: str) -> Failure:
    if not isinstance(given["type"], str) or not isinstance(given["text"], str):
        raise ValueError("no texts")
    frames = []
    for file, line, function in given["frames"]:
        if not isinstance(file, str) or not isinstance(function, str) or type(line) is not int:
            raise ValueError("no frame")
        # A path may have ".." in it, as an interpreter that was started by one has in its frames.
        inside, root = os.path.normpath(file), os.path.normpath(package) + "/"
        frames.append(
            Frame(file, line, function, f"make_metrics/{inside[len(root) :]}" if inside.startswith(root) else "")
        )
    return Failure(given["type"], given["text"], tuple(frames))


def _became(path: Path) -> str:
    try:
        content = read_file(_beside(path))
        return str(json.loads(content)["became"]) if content else ""
    except (ValueError, KeyError, TypeError, RecursionError):
        return "not known any more"


def _beside(path: Path) -> Path:
    return path.with_suffix(os.fsdecode(failure_log.SENT_SUFFIX))


def mark(entry: Entry, became: str) -> None:
    """Write down what became of an entry's report: it is not sent again. Raises UserError if that cannot be done."""
    write_file(_beside(entry.path), json.dumps({"became": became, "id": entry.id}).encode() + b"\n")


def prune(paths: Paths, *, now_ns: int) -> None:
    """Remove what was not seen for 90 days, and what its writer did not finish; never raises."""
    known = {_beside(path) for path in _files(paths, failure_log.ENTRY_SUFFIX)}
    for path in _files(paths, b""):
        with contextlib.suppress(OSError):
            unfinished = path.name.startswith(".") or (
                path.suffix == os.fsdecode(failure_log.SENT_SUFFIX) and path not in known
            )
            if path.lstat().st_mtime_ns < now_ns - (_DAMAGED_NS if unfinished else KEEP_NS):
                path.unlink()


def erase(paths: Paths) -> None:
    """Remove the log; raises UserError if that cannot be done."""
    for path in _files(paths, b""):
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise UserError(f"cannot remove {printable_path(path)}: {error.strerror}") from error
