"""The metrics that a project asks for, by name: built in, or brought by a distribution that the person has installed.

Of the latter the declarations are kept in a file each. The notice is made from what was last known of them: a metric
that cannot be loaded any more has no value, and does not stop the sending of all others. What is new, or declared in
another way than before, changes the notice. Only what a project names is loaded, in a process of its own.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.files.read import read_file
from make_metrics.files.write import write_file
from make_metrics.metrics.child import Child, FailedError, SlowError, listing, talk
from make_metrics.metrics.trouble import one_line
from make_metrics.metrics.worker import LOAD_S, START_S
from make_metrics.properties.property import Property, fault
from make_metrics.properties.registry import ALWAYS, OPTIONAL, PROPERTIES

_FORMAT = 1
_BUILT_IN = {entry.name: entry for entry in OPTIONAL}
_ALWAYS_TOLD = {entry.name for entry in PROPERTIES} | {metric.identifier for metric in ALWAYS}
_FIELDS = {field.name: field for field in fields(Property)}
_NOT_INSTALLED = "is neither built in, nor brought by a distribution that is installed beside make-metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a name: whose metric it is (distribution, version, class), what it declares, what is wrong."""

    offer: tuple[str, ...] = ()
    declared: Property | None = None
    problem: str = ""


_looked: dict[tuple[str, tuple[str, ...]], dict[str, Known]] = {}  # in this process: a delivery asks again and again


def declarations(paths: Paths, names: Sequence[str]) -> tuple[Property, ...]:
    """The declarations of the metrics with these names, in this order, without those of which nothing is known."""
    foreign = _foreign(names)
    known = _known(paths, foreign) if foreign else {}
    entries = [_BUILT_IN.get(name) or (known[name].declared if name in known else None) for name in names]
    return tuple(entry for entry in entries if entry)


def refresh(paths: Paths, names: Sequence[str], *, forget: bool = False) -> dict[str, Known]:
    """Load the metrics with these names anew, those that are built in aside; what is known of each.

    With `forget` those that are no longer to be had are given up, so that the notice ceases to list them.
    """
    foreign = _foreign(names)
    if not foreign:
        return {}
    found = _looked[_key(paths, foreign)] = _look(paths, foreign, anew=True, forget=forget)
    return found


def _foreign(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in _BUILT_IN and name not in _ALWAYS_TOLD)


def _key(paths: Paths, names: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    return str(paths.state), names


def _known(paths: Paths, names: tuple[str, ...]) -> dict[str, Known]:
    key = _key(paths, names)
    if key not in _looked:
        _looked[key] = _look(paths, names, anew=False, forget=False)
    return _looked[key]


def _look(paths: Paths, names: tuple[str, ...], *, anew: bool, forget: bool) -> dict[str, Known]:
    kept = {name: _read(paths, name) for name in names}
    seconds = LOAD_S if anew else START_S
    try:
        with listing() as child:
            offered = child.offered(seconds)
    except (OSError, FailedError, SlowError):
        return kept
    offers = {name: [tuple(offer) for offer in offered.get(name, [])] for name in names}
    stale = {name for name in names if anew or len(offers[name]) != 1 or kept[name].offer != offers[name][0]}
    found = kept | _load({name: offers[name] for name in names if name in stale}, seconds)
    for name in stale:
        if found[name].declared is None and not forget:  # what was agreed to stays agreed to
            found[name] = replace(found[name], declared=kept[name].declared)
        if found[name] != kept[name]:
            with contextlib.suppress(UserError):  # it will be looked at again next time
                write_file(_file(paths, name), _dump(found[name]))
    return found


def _load(offers: Mapping[str, Sequence[tuple[str, ...]]], seconds: float) -> dict[str, Known]:
    """What metrics declare that are offered under names, each in a process of its own, all at once."""
    found: dict[str, Known] = {}
    children: dict[str, Child] = {}
    try:
        for name, bringing in offers.items():
            if len(bringing) != 1:
                whose = ", ".join(offer[0] for offer in bringing)
                problem = f"more than one distribution brings it: {whose}" if bringing else _NOT_INSTALLED
                found[name] = Known(problem=problem)
                continue
            try:
                children[name] = Child(name)
            except OSError as error:
                found[name] = Known(problem=f"cannot be loaded: {error.strerror}")
        for name, said in talk(children, "declaration", {}, seconds).items():
            (offer,) = offers[name]
            try:
                if isinstance(said, Exception):
                    raise said
                found[name] = Known(offer=offer, declared=_declared(said, name, offer))
            except (FailedError, SlowError, ValueError) as error:
                found[name] = Known(offer=offer, problem=f"cannot be loaded: {one_line(str(error))}")
    finally:
        for child in children.values():
            child.close()
    return found


def _declared(given: object, name: str, offer: Sequence[str]) -> Property:
    """A declaration as its process, or the file, says it; raises ValueError for one that is none."""
    if not isinstance(given, dict) or not given.keys() <= _FIELDS.keys():
        raise ValueError("no declaration")
    listed: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    try:
        made = Property(**{**listed, "provider": offer[0], "sources": (f"{offer[2]} ({offer[0]})",), "always": False})
    except TypeError as error:
        raise ValueError("no declaration") from error
    wrong = fault(made)
    if wrong or made.name != name:
        raise ValueError(wrong or "another name")
    return made


def _file(paths: Paths, name: str) -> Path:
    return paths.catalogue / f"{name}.json"


def _read(paths: Paths, name: str) -> Known:
    """What the file of a name says; nothing is known if there is none, or anything is wrong with it."""
    try:
        given = json.loads(read_file(_file(paths, name)) or b"")
        if given["format"] != _FORMAT:
            return Known()
        offer, declared = tuple(map(str, given["offer"])), given["declared"]
        if declared:
            sources = tuple(map(str, declared["sources"]))
            declared = replace(_declared(declared, name, (str(declared["provider"]), "", "")), sources=sources)
        return Known(offer=offer, declared=declared or None, problem=str(given["problem"]))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return Known()


def _dump(known: Known) -> bytes:
    return json.dumps({"format": _FORMAT, **asdict(known)}, indent=2).encode() + b"\n"
