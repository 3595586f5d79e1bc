"""The project that a directory belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from make_metrics.files.paths import printable_path
from make_metrics.project import settings_file
from make_metrics.project.root import find_root, path_text
from make_metrics.project.settings import NAME, Dsn, Settings
from make_metrics.sinks.sink import SinkSettings


@dataclass(frozen=True, slots=True)
class Project:
    """The project that a directory belongs to: its root, its settings if it has any, and what is wrong with those."""

    directory: Path
    settings: Settings | None = None
    problems: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The root as text, also where its name is not UTF-8: what decisions and the store know the project by."""
        return path_text(self.directory)

    @property
    def sinks(self) -> tuple[SinkSettings, ...]:
        """Where its events would go."""
        return self.settings.sinks if self.settings else ()

    @property
    def crash_dsn(self) -> Dsn | None:
        """Where reports of our own failures would go."""
        return self.settings.crash_dsn if self.settings else None


def project_of(directory: Path) -> Project:
    """The project of a directory: that of the nearest settings file, not above the root of its repository.

    Outside a repository only the directory itself is looked at: a file further up could be anybody's. Never raises.
    """
    try:
        directory = directory.resolve()
    except (OSError, RuntimeError) as error:  # a loop of symbolic links is a RuntimeError before Python 3.13
        return Project(directory, None, (f"{printable_path(directory)}: {error}",))
    root = find_root(str(directory))
    folder = Path(root.directory)
    if not root.settings:
        return Project(folder)
    settings, problems = settings_file.read(folder / NAME)
    return Project(folder, settings, tuple(problems))
