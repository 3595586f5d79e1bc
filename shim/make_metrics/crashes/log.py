"""The log of our own failures: reading and pruning it, and the outcome of each report. `hot.failure_log` writes it."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from make_metrics import environment
from make_metrics.files.paths import Paths, printable_path
from make_metrics.files.read import read_file
from make_metrics.files.write import empty_directory, write_file
from make_metrics.hot import failure_log
from make_metrics.printable import printable

TYPE_CHECKING = False
if TYPE_CHECKING:  # every command may note a failure; few read the log
    from make_metrics.crashes.report import Failure, LogEntry

KEEP_NS = 90 * 86_400_000_000_000
_UNFINISHED_NS = 3_600_000_000_000


def note(
    error: BaseException, *, part: str, paths: Paths | None = None, environ: Mapping[str, str] | None = None
) -> None:
    """Log a failure of the part `part`; never raises, and does nothing where recording is off.

    `environ` decides whether the failure may be reported. By default it is this process's environment and, below a
    make, that of all makes above.
    """
    with contextlib.suppress(Exception):
        from make_metrics.consent.policy import read_policy

        paths = paths or Paths.from_environment()
        variables = os.environ if environ is None else environ
        if "off" in (environment.ceiling(variables), read_policy().most) or os.path.lexists(paths.off_file):
            return
        failure_log.write_failure(
            os.fsencode(paths.state),
            error,
            part=part,
            environ={os.fsencode(name): os.fsencode(value) for name, value in variables.items()},
            above=environ is None and variables.get("MAKELEVEL", "0") not in ("", "0"),
        )


def entries(paths: Paths) -> list[LogEntry]:
    """The log's entries, the latest first. Never raises: an entry that cannot be read is left out."""
    readable = []
    for path in _files(paths, failure_log.ENTRY_SUFFIX):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            readable.append(_read(path))
    return sorted(readable, key=lambda entry: entry.last_ns, reverse=True)


def lines(paths: Paths, count: int) -> list[str]:
    """The last `count` failures for people, a line each; one more line says how many others there are."""
    latest_first = entries(paths)
    texts = [_line(entry) for entry in latest_first[:count]]
    rest = len(latest_first) - count
    return texts + ([f"and {rest} more in {printable_path(paths.crashes)}"] if rest > 0 else [])


def _line(entry: LogEntry) -> str:
    from make_metrics.combine.event import timestamp
    from make_metrics.crashes.report import Failure

    failure = entry.failures[-1] if entry.failures else Failure("?", "", ())
    calls = " > ".join(f"{frame.package_path or frame.file}:{frame.line} {frame.function}" for frame in failure.frames)
    time = f"{timestamp(entry.last_ns)[:19]}Z"
    text = f"{time} {entry.part}, in {entry.directory}: {failure.type}: {failure.text}; {calls}"
    return f"{printable(text)} ({printable_path(entry.path)})"


def _files(paths: Paths, ending: bytes) -> list[Path]:
    try:
        if not stat.S_ISDIR(paths.crashes.lstat().st_mode):
            return []
        return [path for path in paths.crashes.iterdir() if os.fsencode(path.name).endswith(ending)]
    except OSError:
        return []


def _read(path: Path) -> LogEntry:
    """The entry in a file.

    Raises OSError, or ValueError, KeyError, TypeError or RecursionError if `hot.failure_log` has not written the file.
    """
    from make_metrics.crashes.report import LogEntry

    document = json.loads(read_file(path) or b"")
    if document["format"] != failure_log.FORMAT or type(document["time_ns"]) is not int:
        raise ValueError("another format")
    texts = ("id", "part", "version", "python", "system", "machine", "make", "directory")
    if not all(isinstance(document[name], str) for name in (*texts, "package")):
        raise ValueError("no texts")
    limits = document["limits"]
    return LogEntry(
        path=path,
        first_ns=document["time_ns"],
        last_ns=path.lstat().st_mtime_ns,
        allowed=bool(limits) and all(_may_leave(*variables) for variables in limits),
        failures=tuple(_failure(failure, document["package"]) for failure in document["errors"]),
        outcome=_outcome(path),
        **{name: document[name] for name in texts},
    )


def _may_leave(do_not_track: str, make_metrics: str) -> bool:
    """Whether these values of DO_NOT_TRACK and MAKE_METRICS let data leave this machine."""
    return environment.ceiling({"DO_NOT_TRACK": do_not_track, "MAKE_METRICS": make_metrics}) == "on"


def _failure(document: dict[str, Any], package: str) -> Failure:
    from make_metrics.crashes.report import Failure, Frame

    if not isinstance(document["type"], str) or not isinstance(document["text"], str):
        raise ValueError("no texts")
    frames = []
    for file, line, function in document["frames"]:
        if not isinstance(file, str) or not isinstance(function, str) or type(line) is not int:
            raise ValueError("no frame")
        # An interpreter that was started by a path with ".." has it in its frames.
        path, root = os.path.normpath(file), os.path.normpath(package) + "/"
        package_path = f"make_metrics/{path.removeprefix(root)}" if path.startswith(root) else ""
        frames.append(Frame(file, line, function, package_path))
    return Failure(document["type"], document["text"], tuple(frames))


def _outcome(path: Path) -> str:
    """What became of the report of the entry at `path`; if the answer cannot be read, the report is not sent again."""
    try:
        content = read_file(_outcome_path(path))
        return str(json.loads(content)["became"]) if content else ""
    except (ValueError, KeyError, TypeError, RecursionError):
        return "unknown"


def _outcome_path(path: Path) -> Path:
    return path.with_suffix(os.fsdecode(failure_log.SENT_SUFFIX))


def mark(entry: LogEntry, outcome: str) -> None:
    """Record the outcome of an entry's report, so that it is not sent again; raises UserError if that fails."""
    write_file(_outcome_path(entry.path), json.dumps({"became": outcome, "id": entry.id}).encode() + b"\n")


def prune(paths: Paths, *, now_ns: int) -> None:
    """Remove entries that are 90 days old, and files that their writer left unfinished; never raises."""
    outcome_paths = {_outcome_path(path) for path in _files(paths, failure_log.ENTRY_SUFFIX)}
    for path in _files(paths, b""):
        with contextlib.suppress(OSError):
            unfinished = path.name.startswith(".") or (
                path.suffix == os.fsdecode(failure_log.SENT_SUFFIX) and path not in outcome_paths
            )
            if path.lstat().st_mtime_ns < now_ns - (_UNFINISHED_NS if unfinished else KEEP_NS):
                path.unlink()


def erase(paths: Paths) -> None:
    """Remove the log; raises UserError if a file cannot be removed."""
    empty_directory(paths.crashes)
