"""Receivers of events. This is the public face for distributions that bring a kind of sink; docs/sinks.md says how.

A batch of messages comes in, one definite verdict about it goes out. No sink knows the store, or what was agreed to.
"""

from make_metrics.sinks.sink import (
    GROUP,
    HOST,
    WRITE_KEY,
    Key,
    Kind,
    Message,
    Network,
    Outcome,
    Prepared,
    Scalar,
    Sink,
    SinkSettings,
    Surroundings,
    UnavailableError,
    Verdict,
    readable,
)

__all__ = [
    "GROUP",
    "HOST",
    "WRITE_KEY",
    "Key",
    "Kind",
    "Message",
    "Network",
    "Outcome",
    "Prepared",
    "Scalar",
    "Sink",
    "SinkSettings",
    "Surroundings",
    "UnavailableError",
    "Verdict",
    "readable",
]
