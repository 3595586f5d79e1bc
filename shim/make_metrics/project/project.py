"""The project that a directory belongs to."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from make_metrics.dataclass import dataclass
from make_metrics.files.paths import printable_path
from make_metrics.project.root import find_root, path_text
from make_metrics.project.settings import NAME, Dsn, Settings
from make_metrics.sinks.sink import SinkSettings

_PATH_MAX = 1024  # of macOS, sys/syslimits.h


@dataclass(frozen=True, slots=True)
class Project:
    """A project: its root, its settings (None without a readable file), and the problems of its settings file."""

    directory: Path
    settings: Settings | None = None
    problems: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The root as text, also if it is not UTF-8: decisions and the store name the project by it."""
        return path_text(self.directory)

    @property
    def sinks(self) -> tuple[SinkSettings, ...]:
        """The receivers of its events."""
        return self.settings.sinks if self.settings else ()

    @property
    def crash_dsn(self) -> Dsn | None:
        """The receiver of reports of our own failures, None without one."""
        return self.settings.crash_dsn if self.settings else None


def true_path(directory: Path) -> Path:
    """A directory's path without links, as a process that works there finds it.

    On macOS a directory may be asked for in another case or another normalisation of Unicode than it was named in; the
    system tells a make's directory by that name. Raises OSError, RuntimeError or ValueError if there is no such path.
    """
    path = directory.resolve()
    if not hasattr(fcntl, "F_GETPATH"):
        return path
    try:
        descriptor = os.open(path, getattr(os, "O_EVTONLY", os.O_RDONLY))
        try:
            name: bytes = fcntl.fcntl(descriptor, fcntl.F_GETPATH, bytes(_PATH_MAX))
        finally:
            os.close(descriptor)
    except OSError:  # it is gone
        return path
    return Path(os.fsdecode(name.partition(b"\0")[0]))


def project_of(directory: Path) -> Project:
    """The project of a directory. Its root holds the nearest settings file up to the repository's root.

    Without such a file the repository's root is the project's. Outside of a repository the root is the directory
    itself, and only there is a settings file read: a file further up could be anybody's. Never raises.
    """
    try:
        directory = true_path(directory)
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links (before Python 3.13), a NUL, a surrogate
        return Project(directory, None, (f"{printable_path(directory)}: {error}",))
    root = find_root(str(directory))
    folder = Path(root.directory)
    if not root.settings:
        return Project(folder)
    from make_metrics.project import settings_file  # takes a while to load: most projects have none

    settings, problems = settings_file.read(folder / NAME)
    return Project(folder, settings, tuple(problems))
