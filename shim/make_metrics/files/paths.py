"""Every path that make-metrics uses. Outside of `hot`, no other module knows the name of a file."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path

from make_metrics.dataclass import dataclass, replace
from make_metrics.errors import UserError
from make_metrics.files import user_dirs
from make_metrics.files.owners import owner_for_root
from make_metrics.printable import printable

NAME = user_dirs.NAME
ROOT_VARIABLE = user_dirs.ROOT_VARIABLE


@dataclass(frozen=True, slots=True)
class Paths:
    """Our three directories and the files in them. Nothing here creates a file or directory.

    `shared` is the directory where the include line looks for the fragment, None if it is `data`.
    """

    data: Path
    config: Path
    state: Path
    shared: Path | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Paths:
        """The platform's directories for this user, or `data`, `config` and `state` below MAKE_METRICS_HOME.

        Raises UserError if that variable holds a relative path, or if the user has no home.
        """
        root = (os.environ if environ is None else environ).get(ROOT_VARIABLE)
        if root:
            home = Path(root)
            if not home.is_absolute():
                raise UserError(f"{ROOT_VARIABLE} is {root!r}: set it to an absolute path, or unset it")
            return cls(data=home / "data", config=home / "config", state=home / "state")
        directories = user_dirs.find_user_dirs({**os.environ, ROOT_VARIABLE: ""})
        if not all(map(os.path.isabs, directories)):
            raise UserError("this user has no home: set HOME to an absolute path")
        return cls(
            data=Path(directories.data),
            config=Path(directories.config),
            state=Path(directories.state),
            shared=Path(os.path.expanduser("~/.local/share"), NAME),  # noqa: PTH111 - Path.expanduser raises without a home
        )

    @classmethod
    def from_state(cls, state: Path) -> Paths:
        """This user's paths, but with the state directory that the fragment handed over."""
        return replace(cls.from_environment(), state=state)

    @property
    def fragment(self) -> Path:
        """The fragment that Makefiles include.

        A Makefile is shared, so its include line is the same on every system, whatever XDG_DATA_HOME says: see
        docs/decisions/0014-one-line-for-everyone.md.
        """
        return (self.shared or self.data) / "metrics.mk"

    @property
    def tried(self) -> Path:
        """The file that says when the interpreter was tried last: `hot/trampoline.sh`, for the fragment beside it."""
        return self.fragment.with_name("tried")

    @property
    def tried_launcher(self) -> Path:
        """The same for the launcher."""
        return self.fragment.with_name("tried.launcher")

    @property
    def off_file(self) -> Path:
        """The file whose existence turns recording off."""
        return self.data / "off"

    @property
    def records(self) -> Path:
        """The directory of the runs' records, each with a lock file."""
        return self.state / "records"

    def record_lock(self, run: str) -> Path:
        """The lock file of all records of a run."""
        return self.records / f"{run}.lock"

    @property
    def makes(self) -> Path:
        """The directory of the markers: one for each make process, which names its run."""
        return self.state / "makes"

    @property
    def set_aside(self) -> Path:
        """The directory where damaged files are kept."""
        return self.state / "set-aside"

    @property
    def crashes(self) -> Path:
        """The directory of the log of our own failures and of the sent reports; `hot.failure_log` has the same name."""
        return self.state / "crashes"

    @property
    def crash_lock(self) -> Path:
        """The lock of the process that sends crash reports: one at a time."""
        return self.state / "crashes.lock"

    @property
    def crash_decisions(self) -> Path:
        """The directory of the decisions about crash reports, a file for each project."""
        return self.config / "crash-reports"

    @property
    def store(self) -> Path:
        """The SQLite database of runs and events."""
        return self.state / "store.sqlite3"

    @property
    def catalogue(self) -> Path:
        """The directory of the declarations of installed metrics, a file for each distribution."""
        return self.state / "metrics"

    @property
    def sink_kinds(self) -> Path:
        """The directory of what installed kinds of sink declare, a file for each kind."""
        return self.state / "sinks"

    @property
    def makefile_stamps(self) -> Path:
        """The file that says which state of which makefiles `report` and `doctor` have looked at."""
        return self.state / "makefiles.json"

    @property
    def on_this_machine_file(self) -> Path:
        """The file that `make-metrics on-this-machine` writes: record, also in CI."""
        return self.data / user_dirs.ON_THIS_MACHINE

    @property
    def decisions(self) -> Path:
        """The directory of the decisions, a file for each project."""
        return self.config / user_dirs.DECISIONS

    @property
    def identities(self) -> Path:
        """The directory of the pseudonymous ids, a file for each project."""
        return self.config / user_dirs.IDENTITIES

    @property
    def erasures(self) -> Path:
        """The directory of what receivers were asked to delete, a file for each id and receiver."""
        return self.config / "erasures"

    @property
    def invitations(self) -> Path:
        """The directory of the times when a project's invitation was shown, a file for each project."""
        return self.config / user_dirs.INVITATIONS

    @property
    def consent_lock(self) -> Path:
        """The lock of the process that changes a decision or an id."""
        return self.config / "consent.lock"

    @property
    def send_lock(self) -> Path:
        """The lock of the process that sends events: one at a time."""
        return self.state / "send.lock"

    @property
    def sender_lock(self) -> Path:
        """The lock of the detached sender that works: one at a time."""
        return self.state / user_dirs.SENDER_LOCK

    @property
    def sender_wanted(self) -> Path:
        """The file that asks the working sender to look again, or the next one to begin: a make's end writes it."""
        return self.state / user_dirs.SENDER_WANTED

    @property
    def sender_resting(self) -> Path:
        """The lock of the process that waits for the time when senders have rested: one for all makes."""
        return self.state / user_dirs.SENDER_RESTING

    def paused(self, decision: Path) -> Path:
        """The note of a sender that a project's yes does not hold any more; it keeps further senders away."""
        return self.state / "paused" / decision.name

    @property
    def user_settings(self) -> Path:
        """The user's settings for the sinks of all projects. No repository can write them."""
        return self.config / "settings.toml"

    @property
    def files(self) -> Path:
        """The directory where file sinks write, unless the user's settings name another."""
        return self.data / "files"

    @property
    def server_database(self) -> Path:
        """The database of `make-metrics serve`, unless it is told another. It is a team's: uninstall leaves it."""
        return self.data.with_name(f"{self.data.name}-server") / "events.sqlite3"

    @property
    def sweep_lock(self) -> Path:
        """The lock of the process that combines records, or sets a damaged store aside."""
        return self.state / "sweep.lock"


def printable_path(path: Path) -> str:
    """A path as text for a message: characters that do not print are escaped."""
    return printable(str(path))


def cannot(deed: str, path: Path, error: OSError) -> str:
    """The line for a user about what cannot be done with a path: what is in the way, and else the system's reason."""
    for place in (path, *path.parents):
        if os.path.lexists(place):
            if place == path and place.is_dir() and not place.is_symlink():
                return f"cannot {deed} {printable_path(path)}, as it is a directory: move it away"
            if place != path and not place.is_dir():
                return f"cannot {deed} {printable_path(path)}: {printable_path(place)} is not a directory: move it away"
            break
    return f"cannot {deed} {printable_path(path)}: {error.strerror}"


def refuse_for_root(directory: Path) -> None:
    """Raise UserError for root if a path lies in another user's directory: root changes nothing there."""
    if owner := owner_for_root(directory):
        raise UserError(
            f"{printable_path(directory)} is in a directory of {owner}: root writes nothing there; "
            f"run this as {owner}, or set HOME or {ROOT_VARIABLE} to a directory of root's"
        )


def private_directory(directory: Path, *, whatever_is_there: bool = False) -> Path:
    """Create a directory of ours if it is missing, and give it mode 0700; returns it.

    Raises UserError if it cannot be created, if the path is a symbolic link or another user's directory, or if a user
    other than root owns the directory above and could exchange it. For root: also if it lies in another user's home.
    With `whatever_is_there` a file, pipe or socket of ours that stands there gets another name.
    """
    refuse_for_root(directory)
    try:
        for parent in reversed(directory.parents):
            if not parent.exists():
                parent.mkdir(mode=0o700, exist_ok=True)  # private, whatever the umask is
        status = directory.parent.lstat()
        if status.st_uid not in (0, os.geteuid()) and (os.geteuid() or stat.S_ISLNK(status.st_mode)):
            raise UserError(
                f"{printable_path(directory.parent)} belongs to another user: nothing of yours is safe there"
            )
        if whatever_is_there:
            _move_file_away(directory)
        with contextlib.suppress(FileExistsError):
            directory.mkdir(mode=0o700)
        status = directory.lstat()
        if not stat.S_ISDIR(status.st_mode):
            raise UserError(f"{printable_path(directory)} is not a directory (or is a symbolic link): move it away")
        if status.st_uid != os.geteuid():
            raise UserError(f"{printable_path(directory)} belongs to another user: run this as its owner")
        if stat.S_IMODE(status.st_mode) & 0o777 != 0o700:
            directory.chmod(0o700)
    except OSError as error:
        raise UserError(cannot("make the directory", directory, error)) from error
    return directory


def _move_file_away(path: Path) -> None:
    """Rename what stands where a directory of ours belongs, unless it is a directory, a link or another user's.

    Raises OSError if it cannot be renamed.
    """
    with contextlib.suppress(FileNotFoundError):
        status = path.lstat()
        if status.st_uid == os.geteuid() and not (stat.S_ISDIR(status.st_mode) or stat.S_ISLNK(status.st_mode)):
            path.rename(path.with_name(f"{path.name}.aside.{time.time_ns()}"))
