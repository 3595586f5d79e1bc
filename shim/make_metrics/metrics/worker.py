"""The process in which one metric of an installed distribution runs: nothing that it does can reach anybody else.

Started by its path, in an interpreter that heeds neither the environment nor the directory that it is started in: what
it can import is what is installed beside make-metrics. Standard input and output are the two ends of a talk in lines of
JSON; the metric itself has /dev/null for both. It ends when its parent is gone, also in the midst of a metric.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    _root = str(Path(__file__).resolve().parents[2])
    if _root not in sys.path:
        sys.path.append(_root)  # a checkout that is not installed

import json
import queue
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import entry_points
from typing import Any

from make_metrics.properties.facts import RunFacts, TargetFacts
from make_metrics.properties.metric import REFUSED, REGISTERED, Metric

GROUP = "make_metrics.metrics"
LIST = "--list"
LOAD_S, VALUE_S = 10.0, 1.0  # to load a metric for somebody who waits to see it, and to compute one
START_S = 4.0  # to load it where nobody does: a sender has little time
_GRACE_S = 2.0  # behind the parent's own limit, for when there is no parent any more
_LONGEST = 1_000


def offered() -> dict[str, list[list[str]]]:
    """Whose metrics are installed, by the entry point's name: distribution, version, and where its class is."""
    found: dict[str, list[list[str]]] = {}
    for entry in entry_points(group=GROUP):
        name, version = (entry.dist.name, entry.dist.version) if entry.dist else ("", "")
        offer = [name, version, entry.value]
        if offer not in found.setdefault(entry.name, []):
            found[entry.name].append(offer)
    return {name: sorted(offers) for name, offers in found.items()}


def load(identifier: str) -> Metric:
    """The metric of an entry point; raises whatever keeps it from being one."""
    import make_metrics.properties.registry  # noqa: F401  # the built-in ones' names are taken

    (entry,) = entry_points(group=GROUP, name=identifier)
    found = entry.load()
    if not isinstance(found, type) or not issubclass(found, Metric):
        raise TypeError(f"{entry.value} is no subclass of make_metrics.metrics.Metric")
    reason = REFUSED.get(f"{found.__module__}.{found.__qualname__}")
    if reason or found not in REGISTERED.values():
        raise ValueError(reason or f"{entry.value} has no identifier")
    if found.identifier != identifier:
        raise ValueError(f"the entry point's name is {identifier}, the identifier is {found.identifier}")
    return found()


def values(metric: Metric, given: dict[str, Any]) -> list[object]:
    """The values for a run, or for each of its targets; what is none is a list: "failed" or "outside", and why."""
    run = RunFacts(**{**given["run"], "goals": tuple(given["run"]["goals"])})
    if metric.scope == "run":
        return [_value(metric, run)]
    return [_value(metric, TargetFacts(run=run, **target)) for target in given["targets"]]


def _value(metric: Metric, measured: RunFacts | TargetFacts) -> object:
    try:
        value = metric.value(measured)
    except BaseException as error:
        return ["failed", _said(error)]
    plain = value is None or type(value) is bool or (type(value) is int and abs(value) < 2**63)
    if plain or (type(value) is str and len(value) <= _LONGEST):
        return value
    return ["outside", type(value).__name__]


def _said(error: BaseException) -> str:
    try:
        return f"{type(error).__name__}: {error}"[:_LONGEST]
    except BaseException:
        return type(error).__name__


def _talk() -> tuple[queue.SimpleQueue[dict[str, Any]], Callable[[dict[str, Any]], None]]:
    """What the parent asks, and how to answer; whoever prints writes to nowhere."""
    asked, answers = os.dup(0), os.dup(1)  # not inherited by what a metric starts
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    requests: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

    def listen() -> None:
        with open(asked, "rb") as lines:  # noqa: PTH123  # a descriptor
            for line in lines:
                requests.put(json.loads(line))
        os._exit(0)

    threading.Thread(target=listen, daemon=True).start()

    def answer(document: dict[str, Any]) -> None:
        left = json.dumps(document).encode() + b"\n"
        while left:
            left = left[os.write(answers, left) :]

    return requests, answer


def _within(seconds: float, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What the work gives, or why not; the system ends the process if it takes far too long."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE_S)
    try:
        return work()
    except BaseException as error:
        return {"failed": _said(error)}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def main(words: list[str]) -> None:
    """Say what is offered; or load a metric, say its declaration, and give its values whenever asked."""
    requests, answer = _talk()
    if words == [LIST]:
        answer(_within(LOAD_S, lambda: {"offered": offered()}))
        return
    metric: list[Metric] = []

    def loaded() -> dict[str, Any]:
        metric.append(load(words[0]))
        return {"declaration": asdict(metric[0].declaration())}

    answer(_within(LOAD_S, loaded))
    while metric:
        request = requests.get()
        answer(_within(VALUE_S, lambda request=request: {"values": values(metric[0], request)}))  # type: ignore[misc]


if __name__ == "__main__":
    main(sys.argv[1:])
    os._exit(0)  # whatever threads a metric has left
