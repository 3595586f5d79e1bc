"""The parts of the benchmark by name, and results of earlier runs, so that it can be run in pieces."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from typing import Any

from ci.bench import ends, lines, whole
from ci.bench.real import real
from ci.bench.report import Results
from ci.bench.waiting import waiting
from ci.bench.workspace import Workspace

Measure = Callable[[Workspace, bool, Path | None], Any]  # the workspace; whether fewer rounds do; a folder of sources

PARTS: dict[str, Measure] = {
    "starts": lambda workspace, quick, _: whole.starts(workspace, 20 if quick else 100),
    "lines": lambda workspace, quick, _: lines.measure(
        workspace, 3 if quick else 7, lines.SCENARIOS[:2] if quick else lines.SCENARIOS
    ),
    "makes": lambda workspace, quick, _: whole.makes(workspace, 10 if quick else 40),
    "waiting": lambda workspace, quick, _: waiting(workspace, 128 if quick else 1_000),
    "real": lambda workspace, quick, sources: None if quick else real(workspace, 7, sources),
    "sending": lambda workspace, quick, _: ends.measure(workspace, 3 if quick else 15),
    "growth": lambda workspace, quick, _: whole.growth(workspace, 1_000 if quick else 10_000, 1 if quick else 3),
}


def measure(workspace: Workspace, names: Sequence[str], *, quick: bool, sources: Path | None) -> dict[str, Any]:
    """What the named parts have measured, by name."""
    return {name: PARTS[name](workspace, quick, sources) for name in names}


def read(path: Path) -> Results:
    """The results that a file holds; raises OSError, and ValueError for a file that no run has written."""
    try:
        results: Results = _as(Results, json.loads(path.read_text()))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not what this version of ci.bench writes: {error}") from error
    return results


def write(results: Results, path: Path) -> None:
    """Write results as JSON."""
    path.write_text(json.dumps(asdict(results), indent=1) + "\n")


def _as(kind: Any, value: Any) -> Any:
    """A value of JSON as a type, with the dataclasses, lists and dictionaries in it."""
    if is_dataclass(kind):
        types_of = typing.get_type_hints(kind)
        return kind(**{field.name: _as(types_of[field.name], value[field.name]) for field in fields(kind)})  # type: ignore[operator]
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is types.UnionType:
        return None if value is None else _as(next(one for one in inner if one is not type(None)), value)
    if origin is dict:
        return {key: _as(inner[1], one) for key, one in value.items()}
    if origin is list:
        return [_as(inner[0], one) for one in value]
    return value
