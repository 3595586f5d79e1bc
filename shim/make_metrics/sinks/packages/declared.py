"""What the kinds of sink of other packages declare: asked of a process each, and kept in a file each.

Every command reads settings, and with them the keys of each sink. A package that hangs or ends the interpreter as it is
loaded costs its own sinks, and no command.
"""

from __future__ import annotations

import base64
import contextlib
import json
import time
from functools import partial
from pathlib import Path
from typing import Any

from make_metrics.dataclass import asdict, dataclass
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.files.read import read_file
from make_metrics.files.write import write_file
from make_metrics.sinks.guarded import ProcessError
from make_metrics.sinks.packages.installed import offer
from make_metrics.sinks.packages.process import Process
from make_metrics.sinks.sink import SCALARS, Key, Kind, Sink, SinkSettings, Surroundings, UnavailableError

_FORMAT = 1
_LOAD_S = 5.0
_SLOW_S = 1.0  # a package that took longer, and failed, is not tried by each command
_AGAIN_S = 600.0


@dataclass(frozen=True, slots=True)
class _Declared:
    """What a package said, and when, in seconds since 1970; `problem` is why it said nothing, empty if it did."""

    offer: tuple[str, ...]
    at_s: float
    problem: str = ""
    keys: tuple[Key, ...] = ()
    needs: str = ""
    install: str = ""


# By name, for this process: settings are read more than once.
_known: dict[str, _Declared] = {}
_processes: dict[str, Process] = {}


def kind_of(name: str) -> Kind:
    """An installed kind as its package declares it; raises UnavailableError if that cannot be told.

    No sink can be made of it: that is done by `sinks.apart.sink`.
    """
    if name not in _known:
        _known[name] = _look_up(name)
    declared = _known[name]
    if declared.problem:
        raise UnavailableError(declared.problem)
    return Kind(
        make=_made_elsewhere,
        keys=declared.keys,
        needs=declared.needs,
        install=declared.install,
        shown=partial(_shown, name),
    )


def forget() -> None:
    """Forget what this process has asked, and end the processes."""
    _known.clear()
    while _processes:
        _processes.popitem()[1].close()


def _look_up(name: str) -> _Declared:
    path, now_s, offered = _path(name), time.time(), offer(name)
    stored = _read(path) if path else None
    if stored and stored.offer == offered and (not stored.problem or 0 <= now_s - stored.at_s < _AGAIN_S):
        return stored
    begun_s = time.monotonic()
    declared = _asked(name, offered, now_s)
    # A failure that is found at once may be mended at once.
    if path and (not declared.problem or time.monotonic() - begun_s > _SLOW_S):
        with contextlib.suppress(UserError):  # then the next process asks again
            write_file(path, json.dumps({"format": _FORMAT, **asdict(declared)}, default=_type_name).encode() + b"\n")
    return declared


def _asked(name: str, offered: tuple[str, ...], now_s: float) -> _Declared:
    try:
        return _parse(_process(name).first, offered, now_s)
    except UnavailableError as error:
        return _Declared(offered, now_s, str(error))
    except (ProcessError, ValueError) as error:
        return _Declared(offered, now_s, f'the package of sink "{name}" is broken as it is loaded: {error}')


def _process(name: str) -> Process:
    if name not in _processes:
        _processes[name] = Process({"kind": name}, _LOAD_S)
    return _processes[name]


def _shown(name: str, url: str, body: bytes) -> str:
    request = {"do": "shown", "url": url, "body": base64.b64encode(body).decode()}
    return str(_process(name).ask(request, _LOAD_S)["text"])


def _made_elsewhere(settings: SinkSettings, _: Surroundings) -> Sink:
    raise UnavailableError(f'sink "{settings.type}" works in a process of its own')


def _type_name(value: object) -> str:
    return value.__name__ if isinstance(value, type) else str(value)


def _parse(document: dict[str, Any], offered: tuple[str, ...], at_s: float) -> _Declared:
    """What a process or a file says. Raises ValueError if it is not of that shape."""
    try:
        keys = tuple(
            Key(**{**key, "kind": SCALARS[key["kind"]], "added": tuple(key["added"])}) for key in document["keys"]
        )
        return _Declared(offered, at_s, document.get("problem", ""), keys, document["needs"], document["install"])
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("it says nonsense") from error


def _path(name: str) -> Path | None:
    try:
        return Paths.from_environment().sink_kinds / f"{name}.json"
    except UserError:
        return None


def _read(path: Path) -> _Declared | None:
    """What a file says; None if it is missing or damaged."""
    try:
        document = json.loads(read_file(path) or b"")
        if document["format"] != _FORMAT:
            return None
        return _parse(document, tuple(map(str, document["offer"])), float(document["at_s"]))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
