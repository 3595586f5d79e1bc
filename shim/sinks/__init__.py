"""Where events go. A sink knows nothing of the store, of consent, or of anybody but its receiver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

Message = Mapping[str, Any]


class Outcome(Enum):
    """What a receiver made of a batch."""

    ACCEPTED = "accepted"
    LATER = "later"  # nothing wrong with the batch: try again
    REFUSED = "refused"  # something wrong with the batch, or with a message in it
    HELD = "held"  # something wrong with the settings: nothing will go until they change


@dataclass(frozen=True, slots=True)
class Verdict:
    """One definite answer for a batch. `said` is a line for people; `after_s` how long to wait before the next attempt.

    `body` and `url` are what was sent, byte by byte, and where to.
    """

    outcome: Outcome
    said: str
    url: str
    body: bytes = b""
    after_s: int = 0


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request as it would be sent now: the address, and the body's bytes."""

    url: str
    body: bytes


class Sink(Protocol):
    """A receiver. A batch is at most `batches` lets through; one is sent at a time."""

    def batches(self, messages: Sequence[Message]) -> list[list[int]]:
        """The messages' places in as few batches as the receiver allows; one that it can never take is left out."""

    def prepare(self, batch: Sequence[Message]) -> Prepared:
        """What `send` would send for a batch, made by the same code, without opening a socket."""

    def send(self, batch: Sequence[Message], *, timeout_s: float) -> Verdict:
        """Send a batch; never raises for what network or receiver do. `timeout_s` bounds each wait for an answer."""
