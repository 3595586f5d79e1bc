"""The receivers of messages, and the public face for packages that bring a kind of sink: docs/sinks.md.

A batch of messages comes in, and one definite verdict goes out. No sink knows the store or anybody's consent.
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
