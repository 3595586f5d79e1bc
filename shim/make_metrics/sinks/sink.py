"""What a sink is, and what a kind of sink declares. Importing this loads no library.

A sink knows its receiver; it does not know the store or anybody's consent. docs/sinks.md says how to write one.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from make_metrics.dataclass import dataclass, field

GROUP = "make_metrics.sinks"
"""The entry-point group of kinds of sink. A name is a `type` in a project's settings; the object is a `Kind`."""

ERASURE = "erasure"
"""The key of a sink's table that says so: see `SinkSettings.erases`."""

Message = Mapping[str, Any]
Scalar = str | int | bool
SCALARS: Mapping[str, type[Scalar]] = {"str": str, "int": int, "bool": bool}
"""The types of a key's value, by name."""


class Outcome(Enum):
    """What became of a batch."""

    ACCEPTED = "accepted"
    LATER = "later"  # try the same batch again
    REFUSED = "refused"  # the batch, or a message in it, is wrong
    HELD = "held"  # the settings are wrong: nothing can be sent until they change


@dataclass(frozen=True, slots=True)
class Verdict:
    """One definite answer for a batch. `said` is a line for people, `after_s` the seconds until the next attempt.

    `body` holds the bytes that were sent, `url` the address. `only_this` with LATER: this batch alone may be at fault,
    and others are tried meanwhile.
    """

    outcome: Outcome
    said: str
    url: str
    body: bytes = b""
    after_s: int = 0
    only_this: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request as it would be sent now: its address and the bytes of its body."""

    url: str
    body: bytes


class Sink(Protocol):
    """A way to one receiver. Batches are those of `batches`, and are sent one at a time."""

    def batches(self, messages: Sequence[Message]) -> list[list[int]]:
        """The messages' positions in as few batches as the receiver allows; none for a message that it cannot take."""

    def prepare(self, batch: Sequence[Message]) -> Prepared:
        """The request that `send` would make, from the same code, without opening a socket."""

    def send(self, batch: Sequence[Message], *, timeout_s: float) -> Verdict:
        """Send a batch, for at most `timeout_s` seconds. A failure of network or receiver is a verdict: none raises."""


@dataclass(frozen=True, slots=True)
class SinkSettings:
    """One receiver that a project's settings name.

    `type` names the kind of sink. `key` is a public key: its owner can send, and not read. `host` is an address or a
    file's name. Both may be empty. `more` holds all other keys of the table, sorted by name. `project` is the project's
    name, which is no part of the receiver: two that differ in nothing else are equal.
    """

    type: str
    key: str = ""
    host: str = ""
    more: tuple[tuple[str, Scalar], ...] = ()
    project: str = field(default="", compare=False)

    @property
    def address(self) -> str:
        """The receiver's name for people; never empty."""
        return self.host or self.type

    @property
    def erases(self) -> bool:
        """Whether the project says that the receiver deletes what it holds of an id, if that is asked with the id."""
        return dict(self.more).get(ERASURE) is True

    def get(self, name: str, default: str = "") -> str:
        """The text of another key, or the default."""
        return str(dict(self.more).get(name, default))


@dataclass(frozen=True, slots=True)
class Network:
    """The user's settings for the network, which `sinks.network` applies. Variables of the environment come first.

    `proxy` is an address, `no_proxy` a comma-separated list of hosts, `ca_file` a file of certificate authorities; each
    may be empty. `timeout_s` limits each wait for an answer, in seconds. `headers` are those that the user adds for an
    origin (see `sinks.user_settings`): names and values, which are secret. `clear_text` are the origins that the user
    allows to be reached by http.
    """

    proxy: str = ""
    no_proxy: str = ""
    ca_file: str = ""
    timeout_s: float = 5.0
    headers: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = field(default=(), repr=False)
    clear_text: tuple[str, ...] = ()

    def headers_for(self, origin: str) -> dict[str, str]:
        """The user's headers for an origin; secret."""
        return dict(dict(self.headers).get(origin, ()))


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The settings of this machine's user, which no repository can write: the network, and a directory for files.

    `directory` may not exist yet. `own_directory` is whether the user named it; then it must exist.
    """

    directory: Path
    own_directory: bool = False
    network: Network = field(default_factory=Network)


class UnavailableError(Exception):
    """A sink cannot be made or used here. The message is one line that says what to install or change."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a sink's table. `says` is the problem's line for a value that `pattern` does not match fully.

    `kind` is the value's type. `added` are the paths that the sink adds to an address: one that ends in such a path is
    refused, or the path would be there twice. A key has no default: the notice's words about a sink must not depend on
    its package.
    """

    name: str
    says: str
    pattern: str = ".*"
    kind: type[Scalar] = str
    needed: bool = False
    added: tuple[str, ...] = ()


HOST = Key("host", "must be https://..., or http:// on this machine, without user, query or blanks", needed=True)
"""An address. All kinds share its check: nobody between here and the receiver may read the messages, unless the user's
own settings allow it."""
WRITE_KEY = Key("write-key", "must be the sink's public key", r"[A-Za-z0-9_.~+/=-]{1,200}", needed=True)


def readable(url: str, body: bytes) -> str:
    """The bytes that were sent to an address, as text for people: decoded as UTF-8, or else base64."""
    del url
    try:
        return body.decode()
    except UnicodeDecodeError:
        return f"base64: {base64.b64encode(body).decode()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of sink: the keys of its tables, and how to make a sink. Its module must load fast, without a library.

    `make` returns a sink or raises UnavailableError. `needs` names a module that sinks require, `install` the command
    that installs it. `shown` turns an address and the bytes that were sent there into text for people. A key named
    `host` or `write-key` has the check of that name, and becomes the settings' `host` or `key`.
    """

    make: Callable[[SinkSettings, Surroundings], Sink]
    keys: tuple[Key, ...] = (HOST,)
    needs: str = ""
    install: str = ""
    shown: Callable[[str, bytes], str] = readable
