"""A sink of another package, in a process of its own (`sinks.packages.process`)."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from make_metrics.dataclass import asdict
from make_metrics.sinks.packages.process import Process
from make_metrics.sinks.sink import Message, Outcome, Prepared, SinkSettings, Verdict

_WORK_S = 10.0  # to load a package, to make batches and requests
_GRACE_S = 0.5  # a sink's own time limit comes first


class Apart:
    """A sink in a process of its own. One request at a time."""

    def __init__(self, settings: SinkSettings, held: Sequence[int] = ()) -> None:
        """Start the process, and have it make the sink.

        `held` are descriptors of locks that the process holds as well, as long as it may send. Raises UnavailableError
        if the sink cannot be made, and ProcessError.
        """
        self._process = Process({"settings": asdict(settings)}, _WORK_S, held)

    def batches(self, messages: Sequence[Message]) -> list[list[int]]:
        """The sink's batches; raises UnavailableError or ProcessError."""
        batches: list[list[int]] = self._process.ask({"do": "batches", "messages": list(messages)}, _WORK_S)["batches"]
        return batches

    def prepare(self, batch: Sequence[Message]) -> Prepared:
        """The sink's request; raises UnavailableError or ProcessError."""
        answer = self._process.ask({"do": "prepare", "messages": list(batch)}, _WORK_S)
        return Prepared(answer["url"], base64.b64decode(answer["body"]))

    def send(self, batch: Sequence[Message], *, timeout_s: float) -> Verdict:
        """The sink's verdict; raises ProcessError. Whoever takes too long is ended."""
        request = {"do": "send", "messages": list(batch), "timeout_s": timeout_s}
        answer = self._process.ask(request, timeout_s + _GRACE_S)
        body = base64.b64decode(answer.pop("body"))
        return Verdict(Outcome(answer.pop("outcome")), body=body, **answer)
