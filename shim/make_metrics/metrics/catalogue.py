"""The declarations of the metrics that a project asks for: built in, or of a distribution that the user has installed.

The declarations of the latter are kept in a file each, and the notice is made from these files. So a metric that can no
longer be loaded has no value, but leaves the notice as it is: a new notice would stop all sending until the next yes. A
new or changed declaration does change the notice. Only metrics that a project names are loaded, each in a process.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from make_metrics.dataclass import asdict, dataclass, fields, replace
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.files.read import read_file
from make_metrics.files.write import write_file
from make_metrics.metrics.child import Child, FailedError, SlowError, ask_all, listing
from make_metrics.metrics.trouble import one_line
from make_metrics.metrics.worker import LOAD_S, START_S
from make_metrics.properties.property import Property, fault
from make_metrics.properties.registry import ALWAYS, OPTIONAL, PROPERTIES

_FORMAT = 1
_BUILT_IN = {entry.name: entry for entry in OPTIONAL}
_ALWAYS = {entry.name for entry in PROPERTIES} | {metric.identifier for metric in ALWAYS}
_FIELDS = {field.name: field for field in fields(Property)}
_NOT_INSTALLED = "is neither built in, nor brought by a distribution that is installed beside make-metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignMetric:
    """A metric of another distribution, as far as it is known.

    `offer` is its distribution, version and class; empty if there is none. `declared` is its last declaration.
    `problem` is why it cannot be loaded; empty if it can.
    """

    offer: tuple[str, ...] = ()
    declared: Property | None = None
    problem: str = ""


# By state directory and names, for this process: a delivery asks for the same metrics again and again.
_cache: dict[tuple[str, tuple[str, ...]], dict[str, ForeignMetric]] = {}


def declarations(paths: Paths, names: Sequence[str]) -> tuple[Property, ...]:
    """The declarations of the metrics with these names, in this order. Names without a declaration are left out."""
    foreign = _foreign(names)
    metrics = _cached(paths, foreign) if foreign else {}
    declared = [_BUILT_IN.get(name) or (metrics[name].declared if name in metrics else None) for name in names]
    return tuple(declaration for declaration in declared if declaration)


def refresh(paths: Paths, names: Sequence[str], *, forget: bool = False) -> dict[str, ForeignMetric]:
    """Load the metrics of other distributions among these names again, and return them by name.

    With `forget`, the declaration of a metric that cannot be loaded is deleted: the notice no longer lists it.
    """
    foreign = _foreign(names)
    if not foreign:
        return {}
    metrics = _cache[_key(paths, foreign)] = _look_up(paths, foreign, reload=True, forget=forget)
    return metrics


def forget() -> None:
    """Forget what this process has looked up."""
    _cache.clear()


def _foreign(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in _BUILT_IN and name not in _ALWAYS)


def _key(paths: Paths, names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    return str(paths.state), names


def _cached(paths: Paths, names: tuple[str, ...]) -> dict[str, ForeignMetric]:
    key = _key(paths, names)
    if key not in _cache:
        _cache[key] = _look_up(paths, names, reload=False, forget=False)
    return _cache[key]


def _look_up(paths: Paths, names: tuple[str, ...], *, reload: bool, forget: bool) -> dict[str, ForeignMetric]:
    """The metrics with these names. Loads those that are not offered as their files say, and all with `reload`."""
    stored = {name: _read(paths, name) for name in names}
    seconds = LOAD_S if reload else START_S
    try:
        with listing() as child:
            offered = child.offered(seconds)
    except (OSError, FailedError, SlowError):
        return stored
    offers = {name: [tuple(offer) for offer in offered.get(name, [])] for name in names}
    stale = {name for name in names if reload or len(offers[name]) != 1 or stored[name].offer != offers[name][0]}
    metrics = stored | _load({name: offers[name] for name in names if name in stale}, seconds)
    for name in stale:
        if metrics[name].declared is None and not forget:
            # Keep the declaration, and with it the notice: the person's yes covers it.
            metrics[name] = replace(metrics[name], declared=stored[name].declared)
        if metrics[name] != stored[name]:
            with contextlib.suppress(UserError):  # the next process looks the metric up again
                write_file(_path(paths, name), _dump(metrics[name]))
    return metrics


def _load(offers: Mapping[str, Sequence[tuple[str, ...]]], seconds: float) -> dict[str, ForeignMetric]:
    """Load the metrics that are offered under these names, each in its own process, all at once."""
    metrics: dict[str, ForeignMetric] = {}
    children: dict[str, Child] = {}
    try:
        for name, same_name in offers.items():
            if len(same_name) != 1:
                distributions = ", ".join(offer[0] for offer in same_name)
                problem = f"more than one distribution brings it: {distributions}" if same_name else _NOT_INSTALLED
                metrics[name] = ForeignMetric(problem=problem)
                continue
            try:
                children[name] = Child(name)
            except OSError as error:
                metrics[name] = ForeignMetric(problem=f"cannot be loaded: {error.strerror}")
        for name, answer in ask_all(children, "declaration", {}, seconds).items():
            (offer,) = offers[name]
            try:
                if isinstance(answer, Exception):
                    raise answer
                metrics[name] = ForeignMetric(offer=offer, declared=_declared(answer, name, offer))
            except (FailedError, SlowError, ValueError) as error:
                metrics[name] = ForeignMetric(offer=offer, problem=f"cannot be loaded: {one_line(str(error))}")
    finally:
        for child in children.values():
            child.close()
    return metrics


def _declared(document: object, name: str, offer: Sequence[str]) -> Property:
    """The declaration in an answer of a metric's process, or in a file. Raises ValueError if there is no valid one."""
    if not isinstance(document, dict) or not document.keys() <= _FIELDS.keys():
        raise ValueError("no declaration")
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in document.items()
    }
    values |= {"provider": offer[0], "sources": (f"{offer[2]} ({offer[0]})",), "always": False}
    try:
        declaration = Property(**values)
    except TypeError as error:
        raise ValueError("no declaration") from error
    problem = fault(declaration)
    if problem or declaration.name != name:
        raise ValueError(problem or "another name")
    return declaration


def _path(paths: Paths, name: str) -> Path:
    return paths.catalogue / f"{name}.json"


def _read(paths: Paths, name: str) -> ForeignMetric:
    """The metric in the file of this name. Nothing is known of it if the file is missing or damaged."""
    try:
        document = json.loads(read_file(_path(paths, name)) or b"")
        if document["format"] != _FORMAT:
            return ForeignMetric()
        offer, declared = tuple(map(str, document["offer"])), document["declared"]
        if declared:
            sources = tuple(map(str, declared["sources"]))
            declared = replace(_declared(declared, name, (str(declared["provider"]), "", "")), sources=sources)
        return ForeignMetric(offer=offer, declared=declared or None, problem=str(document["problem"]))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return ForeignMetric()


def _dump(metric: ForeignMetric) -> bytes:
    return json.dumps({"format": _FORMAT, **asdict(metric)}, indent=2).encode() + b"\n"
