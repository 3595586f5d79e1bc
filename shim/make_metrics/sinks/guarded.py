"""A guard around a sink, ours or another package's: its errors delay that sink's events, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from make_metrics.dataclass import replace
from make_metrics.printable import printable
from make_metrics.sinks.last_check import StoppedError
from make_metrics.sinks.sink import Message, Outcome, Prepared, Sink, SinkSettings, UnavailableError, Verdict

_ERRORS = (Exception, SystemExit)
_LONGEST_S = 7 * 86_400  # a receiver that asks for more is asked again
_LONGEST = 1_000  # characters of a text
_SHORTEST = 6  # characters of a secret: a shorter word is in many a text by chance


class ProcessError(Exception):
    """A sink's process died, hung or answered nonsense (`sinks.packages.process`). The message is one line."""


def one_line(error: BaseException) -> str:
    """An exception of another package as a line of printable ASCII."""
    return f"{type(error).__name__}: {ascii(str(error))[1:-1][:200]}"


class Guarded:
    """A sink that raises nothing but UnavailableError, and that not from `send`, whatever its inner sink does."""

    def __init__(
        self,
        sink: Sink,
        settings: SinkSettings,
        failed: Callable[[BaseException], object],
        secrets: Sequence[str] = (),
    ) -> None:
        """Guard the sink of these settings. `failed` is told of each error that the guard hides.

        No text for people holds one of the `secrets`, such as a key that the receiver repeats in its answer.
        """
        self._sink, self._settings, self._failed = sink, settings, failed
        words = {word for secret in secrets for word in (secret, *secret.split()) if len(word) >= _SHORTEST}
        self._secrets = sorted(words, key=len, reverse=True)

    def batches(self, messages: Sequence[Message]) -> list[list[int]]:
        """The inner sink's; raises UnavailableError if it raises, or gives positions twice or out of range."""
        try:
            batches = [list(batch) for batch in self._sink.batches(messages)]
        except UnavailableError:
            raise
        except _ERRORS as error:
            raise UnavailableError(self._broken(error)) from error
        positions = [position for batch in batches for position in batch]
        if len(set(positions)) != len(positions) or not set(positions) <= set(range(len(messages))):
            raise UnavailableError(f'sink "{self._settings.type}" is broken: its batches are not of what it was given')
        return [batch for batch in batches if batch]

    def prepare(self, batch: Sequence[Message]) -> Prepared:
        """The inner sink's; raises UnavailableError if it raises."""
        try:
            return self._sink.prepare(batch)
        except UnavailableError:
            raise
        except _ERRORS as error:
            raise UnavailableError(self._broken(error)) from error

    def send(self, batch: Sequence[Message], *, timeout_s: float) -> Verdict:
        """The inner sink's verdict, its texts as one line that prints; LATER if it raises, or gives no verdict."""
        try:
            verdict = self._sink.send(batch, timeout_s=timeout_s)
            if not _is_sound(verdict):
                raise TypeError("what it returned is no verdict")
            said, url = (printable(text[:_LONGEST]) for text in (self._without_secrets(verdict.said), verdict.url))
            return replace(verdict, said=said, url=url, after_s=min(max(int(verdict.after_s), 0), _LONGEST_S))
        except StoppedError as error:
            return Verdict(Outcome.LATER, str(error), self._settings.address)
        except _ERRORS as error:
            return Verdict(Outcome.LATER, self._broken(error), self._settings.address)

    def _broken(self, error: BaseException) -> str:
        if isinstance(error, ProcessError):
            return f'sink "{self._settings.type}" is broken: {self._without_secrets(str(error))}'
        self._failed(error)
        text = ascii(self._without_secrets(str(error)))[1:-1][:200]
        return f'sink "{self._settings.type}" is broken: {type(error).__name__}: {text}'

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "(secret)")
        return text


def _is_sound(verdict: object) -> bool:
    """Whether a verdict is of the types that it declares: another package's code has made it."""
    return (
        isinstance(verdict, Verdict)
        and isinstance(verdict.outcome, Outcome)
        and isinstance(verdict.said, str)
        and isinstance(verdict.url, str)
        and isinstance(verdict.body, bytes)
        and isinstance(verdict.only_this, bool)
        and isinstance(verdict.after_s, int | float)
    )
