"""The process in which one sink of another package runs, or its kind is loaded (`sinks.packages.process` starts it).

It is started by its path, in an isolated interpreter. It reads requests from standard input and writes answers to
standard output, one line of JSON each; the sink has /dev/null for both. It ends when its parent is gone, even while the
sink works.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import queue
import re
import sys
import threading
from collections.abc import Callable
from typing import Any

_GRACE_S = 2.0  # the process's own limit is this much later than its parent's, in case the parent is gone
Document = dict[str, Any]


class _Parent:
    """The parent's requests, and what it is told and asked. Standard input and output become /dev/null."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self._lines, self._answers = os.fdopen(os.dup(0), "rb"), os.dup(1)
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        self._requests: queue.SimpleQueue[Document] = queue.SimpleQueue()
        self._permissions: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._asking = threading.Lock()

    def first(self) -> Document:
        """The first request. From then on the process ends once the parent closes its end."""
        request: Document = json.loads(self._lines.readline() or b"{}")
        threading.Thread(target=self._receive, daemon=True).start()
        return request

    def _receive(self) -> None:
        for line in self._lines:
            document = json.loads(line)
            if "may_send" in document:
                self._permissions.put(document["may_send"] is True)
            else:
                self._requests.put(document)
        os._exit(0)

    def next(self) -> Document:
        """The next request, as soon as there is one."""
        return self._requests.get()

    def may_send(self) -> bool:
        """Ask whether bytes may leave."""
        with self._asking:
            self.tell({"may_send": None})
            return self._permissions.get()

    def tell(self, document: Document) -> None:
        """Write a line."""
        unsent = json.dumps(document).encode() + b"\n"
        while unsent:
            unsent = unsent[os.write(self._answers, unsent) :]


def _answer_of(work: Callable[[], Document], seconds: float) -> Document:
    """The answer that the work returns, or one that says why it failed.

    The process ends if the work takes much longer than `seconds`.
    """
    from make_metrics.processes.watchdog import watchdog
    from make_metrics.sinks.guarded import one_line
    from make_metrics.sinks.sink import UnavailableError

    with watchdog(seconds + _GRACE_S):
        try:
            return work()
        except UnavailableError as error:
            return {"unavailable": str(error)}
        except BaseException as error:  # another package's code
            return {"failed": one_line(error)}


def _declaration(kind: Any) -> Document:
    """What a kind declares. Raises TypeError, ValueError or re.error if that is of no use."""
    from make_metrics.sinks.sink import SCALARS, Key

    keys = []
    for key in kind.keys:
        types = [name for name, scalar in SCALARS.items() if isinstance(key, Key) and scalar is key.kind]
        if not types or not all(isinstance(text, str) for text in (key.name, key.says, key.pattern, *key.added)):
            raise TypeError("a key of its table is none")
        re.compile(key.pattern)
        keys.append({**dataclasses.asdict(key), "kind": types[0], "needed": bool(key.needed)})
    if not isinstance(kind.needs, str) or not isinstance(kind.install, str):
        raise TypeError("what it needs is no text")
    return {"keys": keys, "needs": kind.needs, "install": kind.install}


def main() -> None:
    """Make the sink, or load the kind, and do what is asked of it."""
    parent = _Parent()
    first = parent.first()
    sys.path[:] = first["path"]
    for descriptor in first["held"]:
        os.set_inheritable(descriptor, False)  # what the sink starts does not hold them
    from make_metrics.sinks import last_check
    from make_metrics.sinks.apart import here
    from make_metrics.sinks.packages import installed
    from make_metrics.sinks.sink import Kind, Sink, SinkSettings

    loaded: list[Sink | Kind] = []

    def load() -> Document:
        if "kind" in first:
            kind = installed.load(first["kind"])
            declaration = _declaration(kind)
            loaded.append(kind)
            return declaration
        settings = first["settings"]
        more = tuple((name, value) for name, value in settings.pop("more"))
        loaded.append(here.sink_here(SinkSettings(**settings, more=more)))
        return {"made": True}

    def work(request: Document) -> Document:
        (sink,) = loaded
        if isinstance(sink, Kind):
            return {"text": sink.shown(request["url"], base64.b64decode(request["body"]))}
        messages = request["messages"]
        if request["do"] == "batches":
            return {"batches": sink.batches(messages)}
        if request["do"] == "prepare":
            prepared = sink.prepare(messages)
            return {"url": prepared.url, "body": base64.b64encode(prepared.body).decode()}
        with last_check.asking(parent.may_send):
            verdict = sink.send(messages, timeout_s=request["timeout_s"])
        return {
            "outcome": verdict.outcome.value,
            "said": verdict.said,
            "url": verdict.url,
            "body": base64.b64encode(verdict.body).decode(),
            "after_s": verdict.after_s,
            "only_this": verdict.only_this,
        }

    parent.tell(_answer_of(load, first["seconds"]))
    while loaded:
        request = parent.next()
        parent.tell(_answer_of(lambda: work(request), request["seconds"]))  # noqa: B023  # called at once


if __name__ == "__main__":
    main()
    os._exit(0)  # without waiting for a sink's threads
