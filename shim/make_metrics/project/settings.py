"""What a project's settings file says, as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from make_metrics.files import user_dirs
from make_metrics.sinks.sink import SinkSettings

NAME = user_dirs.SETTINGS
DEFAULT_EVENT = "make.target.run"


@dataclass(frozen=True, slots=True)
class Dsn:
    """Where reports of our own failures go: a DSN of Sentry, or of a receiver of its protocol, and its address."""

    text: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a settings file says. `directory` is where it lies; empty texts are not given.

    `file_targets` is whether names of file targets may be sent, `opt_out_event` whether an opt-out may be reported.
    `metrics` are the names of metrics that the project asks for, besides those that every event has.
    """

    directory: Path
    name: str = ""
    collector: str = ""
    purpose: str = ""
    retention: str = ""
    contact: str = ""
    event: str = DEFAULT_EVENT
    default_branch: str = ""
    file_targets: bool = False
    opt_out_event: bool = False
    metrics: tuple[str, ...] = ()
    sinks: tuple[SinkSettings, ...] = ()
    crash_dsn: Dsn | None = None
