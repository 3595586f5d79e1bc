"""How one receiver runs: what `make-metrics serve` was told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The settings of a receiver.

    `url` is the address that people and senders use, such as https://metrics.example.org. `user_header` is the name of
    a header by which a proxy says that it has let a person in, empty for none; it counts only in connections from one
    of `proxies`, addresses such as 127.0.0.1.
    """

    url: str
    user_header: str = ""
    proxies: tuple[str, ...] = ()
