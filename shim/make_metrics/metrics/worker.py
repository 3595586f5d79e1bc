"""The process in which one metric of another distribution runs, so that a bad metric harms nothing else.

It is started by its path, in an interpreter that ignores the environment's Python variables and the working directory:
it imports only what is installed beside make-metrics. It reads requests from standard input and writes answers to
standard output, one line of JSON each; the metric has /dev/null for both. It ends when its parent is gone, even while
the metric computes.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    _root = str(Path(__file__).resolve().parents[2])
    if _root not in sys.path:
        sys.path.append(_root)  # make-metrics runs from a checkout, and is not installed

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from make_metrics.dataclass import asdict
from make_metrics.properties.facts import RunFacts, TargetFacts
from make_metrics.properties.metric import REFUSED, REGISTERED, Metric

if TYPE_CHECKING:
    import queue
    from importlib.metadata import EntryPoints

GROUP = "make_metrics.metrics"
LIST = "--list"
LOAD_S = 10.0  # to load a metric for a user who waits
START_S = 4.0  # to load a metric for a sender, which has little time
VALUE_S = 1.0  # to compute one
_GRACE_S = 2.0  # the process's own limit is this much later than its parent's, in case the parent is gone
_LONGEST = 1_000


def _entry_points() -> EntryPoints:
    from importlib.metadata import entry_points  # only in a metric's own process: it takes a while to load

    return entry_points(group=GROUP)


def offered() -> dict[str, list[list[str]]]:
    """The installed metrics by the entry point's name: a distribution, its version and the class, for each offer."""
    offers: dict[str, list[list[str]]] = {}
    for entry in _entry_points():
        name, version = (entry.dist.name, entry.dist.version) if entry.dist else ("", "")
        offer = [name, version, entry.value]
        if offer not in offers.setdefault(entry.name, []):
            offers[entry.name].append(offer)
    return {name: sorted(same_name) for name, same_name in offers.items()}


def load(identifier: str) -> Metric:
    """The metric of an entry point. Raises any exception if it cannot be loaded, or is no valid metric."""
    import make_metrics.properties.registry  # noqa: F401  # takes the names of the built-in metrics

    (entry,) = _entry_points().select(name=identifier)
    metric = entry.load()
    if not isinstance(metric, type) or not issubclass(metric, Metric):
        raise TypeError(f"{entry.value} is no subclass of make_metrics.metrics.Metric")
    reason = REFUSED.get(f"{metric.__module__}.{metric.__qualname__}")
    if reason or metric not in REGISTERED.values():
        raise ValueError(reason or f"{entry.value} has no identifier")
    if metric.identifier != identifier:
        raise ValueError(f"the entry point's name is {identifier}, the identifier is {metric.identifier}")
    return metric()


def values(metric: Metric, request: dict[str, Any]) -> list[object]:
    """The value for a run, or one for each of its targets. Instead of a missing one: "failed" or "outside", and why."""
    run = RunFacts(**{**request["run"], "goals": tuple(request["run"]["goals"])})
    if metric.scope == "run":
        return [_value(metric, run)]
    return [_value(metric, TargetFacts(run=run, **target)) for target in request["targets"]]


def _value(metric: Metric, measured: RunFacts | TargetFacts) -> object:
    try:
        value = metric.value(measured)
    except BaseException as error:
        return ["failed", _error_text(error)]
    # Exact types: an instance of a subclass may behave in any way.
    is_number = type(value) is int and abs(value) < 2**63
    is_text = type(value) is str and len(value) <= _LONGEST
    if value is None or type(value) is bool or is_number or is_text:
        return value
    return ["outside", type(value).__name__]


def _error_text(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:_LONGEST]
    except BaseException:
        return type(error).__name__


def _connect() -> tuple[queue.SimpleQueue[dict[str, Any]], Callable[[dict[str, Any]], None]]:
    """The queue of the parent's requests, and a function that answers. Standard input and output become /dev/null.

    The process ends once the parent closes its end.
    """
    import queue
    import threading

    request_pipe, answer_pipe = os.dup(0), os.dup(1)  # programs that a metric starts do not inherit these
    null = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def receive() -> None:
        with open(request_pipe, "rb") as lines:  # noqa: PTH123  # a descriptor
            for line in lines:
                requests.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=receive, daemon=True).start()

    def answer(document: dict[str, Any]) -> None:
        unsent = json.dumps(document).encode() + b"\n"
        while unsent:
            unsent = unsent[os.write(answer_pipe, unsent) :]

    return requests, answer


def _answer_of(work: Callable[[], dict[str, Any]], seconds: float) -> dict[str, Any]:
    """The answer that the work returns, or one that says why it failed.

    The process ends if the work takes much longer than `seconds`.
    """
    from make_metrics.processes.watchdog import watchdog

    with watchdog(seconds + _GRACE_S):
        try:
            return work()
        except BaseException as error:
            return {"failed": _error_text(error)}


def main(words: list[str]) -> None:
    """Answer with the list of installed metrics; or with a metric's declaration, then with values for each request."""
    requests, answer = _connect()
    if words == [LIST]:
        answer(_answer_of(lambda: {"offered": offered()}, LOAD_S))
        return
    metrics: list[Metric] = []

    def load_metric() -> dict[str, Any]:
        metrics.append(load(words[0]))
        return {"declaration": asdict(metrics[0].declaration())}

    answer(_answer_of(load_metric, LOAD_S))
    while metrics:
        request = requests.get()
        answer(_answer_of(lambda: {"values": values(metrics[0], request)}, VALUE_S))  # noqa: B023  # called at once


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)  # without waiting for a metric's threads
