"""A project's settings, as data: what `project.settings_file` reads and everything else uses."""

from __future__ import annotations

from pathlib import Path

from make_metrics.dataclass import dataclass
from make_metrics.files import user_dirs
from make_metrics.sinks.sink import SinkSettings

NAME = user_dirs.SETTINGS
DEFAULT_EVENT = "make.target.run"


@dataclass(frozen=True, slots=True)
class Dsn:
    """Where reports of our own failures go: the DSN for Sentry or a receiver of its protocol, and the address in it."""

    text: str
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of the project whose root is `directory`; a text that is not set is empty.

    `file_targets` is whether names of file targets may be sent, `opt_out_event` whether an opt-out may be reported.
    `metrics` names the metrics that the project asks for in addition to those of every event. `labels` are names and
    texts that are the same in all its events.
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
    labels: tuple[tuple[str, str], ...] = ()
    sinks: tuple[SinkSettings, ...] = ()
    crash_dsn: Dsn | None = None
