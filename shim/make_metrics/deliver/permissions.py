"""Which makes of a run may send their events.

A make may if all of these hold: the environment allowed it to this make and to every make above it; the person has said
yes to the project's notice as it is now; the run's first line was recorded after that yes.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from make_metrics.combine.record import Make
from make_metrics.combine.run import Run
from make_metrics.consent.anonymous_id import read_id
from make_metrics.consent.mode import Mode
from make_metrics.dataclass import dataclass
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project, project_of
from make_metrics.properties.property import Property

TYPE_CHECKING = False
if TYPE_CHECKING:  # take a while to load: only a project that asks for events needs them
    from make_metrics.consent import consent
    from make_metrics.project.target_names import TargetNames

_DEEPEST = 1_000  # makes above one another; more are no build, and would take the sweep too long


@dataclass(frozen=True, slots=True)
class Permission:
    """The permission to send the events of a make.

    It names the make's project, directory and makefiles (-f), the person's id in the project, and the optional metrics
    that the notice lists.
    """

    project: Project
    directory: str
    makefiles: tuple[str, ...]
    anonymous_id: str
    metrics: tuple[Property, ...]


class ProjectCache:
    """The projects, decisions and directories that one sweep needs, each read once."""

    def __init__(self, paths: Paths) -> None:
        """Read the decisions of the user with these paths."""
        self._paths = paths
        self._projects: dict[str, Project] = {}
        self._consents: dict[Path, consent.Status] = {}
        self._file_names: dict[str, frozenset[str]] = {}
        self._target_names: dict[tuple[str, tuple[str, ...], str], TargetNames] = {}

    def project_of(self, directory: str) -> Project:
        """The project of a make's directory. An empty directory has one without settings."""
        if directory not in self._projects:
            self._projects[directory] = project_of(Path(directory)) if directory else Project(Path("/"))
        return self._projects[directory]

    def consent_of(self, project: Project) -> consent.Status:
        """The decision about a project.

        It is read without an environment: a make's own was looked at when it ran, and the sweep's does not matter.
        """
        from make_metrics.consent import consent

        if project.directory not in self._consents:
            self._consents[project.directory] = consent.status_of(self._paths, project, {})
        return self._consents[project.directory]

    def still_holds(self, permission: Permission) -> bool:
        """Read a permission's decision and id again; return whether both are as before."""
        project = permission.project
        before = self._consents.pop(project.directory, None)
        return self.consent_of(project) == before and self.anonymous_id(project) == permission.anonymous_id

    def metrics(self, project: Project) -> tuple[Property, ...]:
        """The optional metrics that a project's notice lists."""
        if project.settings is None or not project.settings.metrics:
            return ()
        from make_metrics.metrics import catalogue

        return catalogue.declarations(self._paths, project.settings.metrics)

    def default_branch(self, directory: str) -> str:
        """The default branch that the settings of a directory's project name; empty if they name none."""
        settings = self.project_of(directory).settings
        return settings.default_branch if settings else ""

    def anonymous_id(self, project: Project) -> str | None:
        """The person's pseudonymous id in a project; None if there is none."""
        return read_id(self._paths, project)

    def file_names(self, directory: str) -> frozenset[str]:
        """The names of the files in a make's directory."""
        if directory not in self._file_names:
            self._file_names[directory] = frozenset()
            with contextlib.suppress(OSError, ValueError), os.scandir(directory) as entries:
                self._file_names[directory] = frozenset(entry.name for entry in entries if entry.is_file())
        return self._file_names[directory]

    def target_names(self, project: Project, directory: str, makefiles: tuple[str, ...] = ()) -> TargetNames:
        """The names of targets that the makefiles of a make in a project spell."""
        from make_metrics.project.target_names import spelled_names

        key = (directory, makefiles, project.path)
        if key not in self._target_names:
            self._target_names[key] = spelled_names(directory, makefiles, outermost=project.path)
        return self._target_names[key]


def permissions(projects: ProjectCache, run: Run) -> dict[str, Permission]:
    """The permissions of a run's makes, by the make's key. A make whose events stay here has none."""
    start_ns = min((work.wall_ns for work in run.work.values()), default=0)
    by_make = {}
    for key, make in run.makes.items():
        if _environment_allows(run, make):
            project = projects.project_of(make.directory)
            anonymous_id = _consenting_id(projects, project, start_ns)
            if anonymous_id:
                by_make[key] = Permission(
                    project, make.directory, make.makefiles, anonymous_id, projects.metrics(project)
                )
    return by_make


def _environment_allows(run: Run, make: Make) -> bool:
    """Whether the environments of a make and of all makes above it allow sending; False if any of them is unknown."""
    seen: set[str] = set()
    current: Make | None = make
    while current is not None and current.key not in seen and len(seen) < _DEEPEST:
        if current.ceiling != Mode.ON.word:
            return False
        if not current.parent:
            return True
        seen.add(current.key)
        current = run.makes.get(current.parent)
    return False


def _consenting_id(projects: ProjectCache, project: Project, start_ns: int) -> str | None:
    """The person's id in a project; None unless they said yes before the run started."""
    if not project.sinks:
        return None
    status = projects.consent_of(project)
    if status.ruling.mode is not Mode.ON or status.record is None or start_ns < status.record.decided_ns:
        return None
    return projects.anonymous_id(project)
