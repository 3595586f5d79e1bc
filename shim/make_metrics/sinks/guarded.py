"""Another package's sink, whose errors cost that sink's events a while, and nobody else anything."""

from __future__ import annotations

from collections.abc import Sequence

from make_metrics.sinks.sink import Message, Outcome, Prepared, Sink, SinkSettings, UnavailableError, Verdict


class Guarded:
    """A sink that never raises anything but what the protocol allows, around one of which that is not known."""

    def __init__(self, sink: Sink, settings: SinkSettings) -> None:
        """Guard the sink of these settings."""
        self._sink, self._settings = sink, settings

    def batches(self, messages: Sequence[Message]) -> list[list[int]]:
        """As the sink has it; raises UnavailableError if it breaks, or gives places that there are not."""
        try:
            found = [list(batch) for batch in self._sink.batches(messages)]
        except Exception as error:
            raise UnavailableError(self._broken(error)) from error
        places = [place for batch in found for place in batch]
        if len(set(places)) != len(places) or not set(places) <= set(range(len(messages))):
            raise UnavailableError(f'sink "{self._settings.type}" is broken: its batches are not of what it was given')
        return [batch for batch in found if batch]

    def prepare(self, batch: Sequence[Message]) -> Prepared:
        """As the sink has it; raises UnavailableError if it breaks."""
        try:
            return self._sink.prepare(batch)
        except Exception as error:
            raise UnavailableError(self._broken(error)) from error

    def send(self, batch: Sequence[Message], *, timeout_s: float) -> Verdict:
        """The sink's verdict; that it is to be tried later if it breaks."""
        try:
            return self._sink.send(batch, timeout_s=timeout_s)
        except Exception as error:
            return Verdict(Outcome.LATER, self._broken(error), self._settings.address)

    def _broken(self, error: Exception) -> str:
        return f'sink "{self._settings.type}" is broken: {type(error).__name__}: {ascii(str(error))[1:-1][:200]}'
