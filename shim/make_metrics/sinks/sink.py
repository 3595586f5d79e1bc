"""Where events go: what a sink is, and what a kind of sink says of itself. Importing this loads no library.

A sink knows nothing of the store, of consent, or of anybody but its receiver. docs/sinks.md says how to write one.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

GROUP = "make_metrics.sinks"
"""The entry-point group of kinds of sink: the name is the `type` in a project's settings, the object is a `Kind`."""

Message = Mapping[str, Any]
Scalar = str | int | bool


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
        """Send a batch; never raises for what network or receiver do. It is broken off after `timeout_s`."""


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """One receiver that a project's settings name.

    `type` is the kind of sink, `key` a public key (whoever has it can send, not read), `host` an address or a file's
    name; both may be empty. `more` are all other keys of its table, in order of their names.
    """

    type: str
    key: str = ""
    host: str = ""
    more: tuple[tuple[str, Scalar], ...] = ()

    @property
    def address(self) -> str:
        """Where it goes, for people: never empty."""
        return self.host or self.type

    def get(self, name: str, default: str = "") -> str:
        """The text of another key, or the default."""
        return str(dict(self.more).get(name, default))


@dataclass(frozen=True, slots=True)
class Network:
    """How this machine reaches others, as its user has set it: see `sinks.network`, which makes use of it.

    `proxy` is an address, `no_proxy` a comma-separated list of hosts, `ca_file` a file of certificate authorities; each
    is only what the environment does not say, and may be empty. `timeout_s` bounds each wait for an answer.
    """

    proxy: str = ""
    no_proxy: str = ""
    ca_file: str = ""
    timeout_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What this machine's user has set, and no repository can: the network, and a directory for files.

    Nobody has made `directory` yet; `own_directory` is whether the user named it, so that it must be there.
    """

    directory: Path
    own_directory: bool = False
    network: Network = field(default_factory=Network)


class UnavailableError(Exception):
    """A sink cannot be made here. The message is one line that says what to install or to change."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key that a sink's table may have. `says` is what is told of a value that `pattern` does not match.

    `kind` is the value's type. There is no default: what a notice says of a sink must not depend on what is installed.
    """

    name: str
    says: str
    pattern: str = ".*"
    kind: type[Scalar] = str
    needed: bool = False


HOST = Key("host", "must be https://..., or http:// on this machine, without user, query or blanks", needed=True)
"""An address, with the one check that all kinds share: nobody on the way can read what is sent."""
WRITE_KEY = Key("write-key", "must be the sink's public key", r"[A-Za-z0-9_.~+/=-]{1,200}", needed=True)


def readable(url: str, body: bytes) -> str:
    """What was sent to an address, for people: the text that the bytes are, or else base64."""
    del url
    try:
        return body.decode()
    except UnicodeDecodeError:
        return f"base64: {base64.b64encode(body).decode()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of sink: what its tables look like, and how to make one. Loading it must be cheap and load no library.

    `make` gives the sink; it may raise UnavailableError. `needs` is a module that it cannot do without, `install` what
    to install then. `shown` makes readable what was sent, from the address and the very bytes. A key named `host` or
    `write-key` is checked as such, and becomes the settings' `host` or `key`.
    """

    make: Callable[[SinkSettings, Surroundings], Sink]
    keys: tuple[Key, ...] = (HOST,)
    needs: str = ""
    install: str = ""
    shown: Callable[[str, bytes], str] = readable
