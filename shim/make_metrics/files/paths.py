"""Every path that make-metrics uses, from one root; no other module of the cold side knows a file's name."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files import user_dirs

NAME = user_dirs.NAME
ROOT_VARIABLE = user_dirs.ROOT_VARIABLE


@dataclass(frozen=True, slots=True)
class Paths:
    """The three directories that are ours, and the files in them. Nothing is created by asking for a path.

    `shared` is where everybody's include line looks for the fragment, if that is not the directory for data.
    """

    data: Path
    config: Path
    state: Path
    shared: Path | None = None

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Paths:
        """The platform's directories for this user, or those below `MAKE_METRICS_HOME`.

        Raises UserError if that variable is set to a path that is not absolute.
        """
        root = (os.environ if environ is None else environ).get(ROOT_VARIABLE)
        if root:
            home = Path(root)
            if not home.is_absolute():
                raise UserError(f"{ROOT_VARIABLE} is {root!r}: set it to an absolute path, or unset it")
            return cls(data=home / "data", config=home / "config", state=home / "state")
        import platformdirs  # not needed, and not loaded, where the root is given

        return cls(
            data=platformdirs.user_data_path(NAME, appauthor=False),
            config=platformdirs.user_config_path(NAME, appauthor=False),
            state=platformdirs.user_state_path(NAME, appauthor=False),
            shared=Path(os.path.expanduser("~/.local/share"), NAME),  # noqa: PTH111 - without a home, as platformdirs
        )

    @classmethod
    def from_state(cls, state: Path) -> Paths:
        """The paths of this user with another state directory: the one that the fragment handed over."""
        return replace(cls.from_environment(), state=state)

    @property
    def fragment(self) -> Path:
        """The fragment that Makefiles include.

        A Makefile is shared, so its line is the same on every system and whatever XDG_DATA_HOME is (decision 14).
        """
        return (self.shared or self.data) / "metrics.mk"

    @property
    def off_file(self) -> Path:
        """The file whose existence turns recording off."""
        return self.data / "off"

    @property
    def records(self) -> Path:
        """The directory of the runs' records, with a lock file each."""
        return self.state / "records"

    def record_lock(self, run: str) -> Path:
        """The lock file that guards all records of a run."""
        return self.records / f"{run}.lock"

    @property
    def makes(self) -> Path:
        """The directory of the markers, one for each make process, which name its run."""
        return self.state / "makes"

    @property
    def set_aside(self) -> Path:
        """The directory of damaged files, kept for whoever wants to look at them."""
        return self.state / "set-aside"

    @property
    def crashes(self) -> Path:
        """The directory of the log of our own failures (`hot.failure_log` says the same), with what was reported."""
        return self.state / "crashes"

    @property
    def crash_lock(self) -> Path:
        """The lock of whoever sends crash reports: one at a time."""
        return self.state / "crashes.lock"

    @property
    def crash_decisions(self) -> Path:
        """The directory of what was decided about crash reports, for each project."""
        return self.config / "crash-reports"

    @property
    def store(self) -> Path:
        """The SQLite database of runs and events."""
        return self.state / "store.sqlite3"

    @property
    def catalogue(self) -> Path:
        """The directory of what metrics of installed distributions declare, a file each."""
        return self.state / "metrics"

    @property
    def on_this_machine_file(self) -> Path:
        """The file that `on-this-machine` leaves behind: recording was asked for, also in CI."""
        return self.data / user_dirs.ON_THIS_MACHINE

    @property
    def decisions(self) -> Path:
        """The directory of what was decided about each project."""
        return self.config / user_dirs.DECISIONS

    @property
    def identities(self) -> Path:
        """The directory of the pseudonymous ids, one for each project."""
        return self.config / "ids"

    @property
    def invitations(self) -> Path:
        """The directory of when which project's invitation was shown."""
        return self.config / user_dirs.INVITATIONS

    @property
    def consent_lock(self) -> Path:
        """The lock of whoever changes a decision or an id."""
        return self.config / "consent.lock"

    @property
    def send_lock(self) -> Path:
        """The lock of whoever sends: one at a time."""
        return self.state / "send.lock"

    @property
    def sender_lock(self) -> Path:
        """The lock of the one detached sender that is at work."""
        return self.state / "sender.lock"

    @property
    def sender_wanted(self) -> Path:
        """The file by which a sender that finds another at work leaves its make's events to that one."""
        return self.state / "sender.wanted"

    def paused(self, decision: Path) -> Path:
        """What a project with a yes on file looked like when a sender found that the yes does not hold any more."""
        return self.state / "paused" / decision.name

    @property
    def user_settings(self) -> Path:
        """The user's own settings for all projects' sinks, which no repository can reach."""
        return self.config / "settings.toml"

    @property
    def files(self) -> Path:
        """The directory of the files that file sinks write, unless the user names another one."""
        return self.data / "files"

    @property
    def sweep_lock(self) -> Path:
        """The lock of whoever combines records, or puts a damaged store aside."""
        return self.state / "sweep.lock"


def printable_path(path: Path) -> str:
    """A path for a message of one line."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in str(path))


def private_directory(directory: Path) -> Path:
    """Make sure that a directory of ours exists, and is a private one (mode 0700); gives it back.

    Raises UserError for a symbolic link or another user's directory in its place, for a directory above it that another
    user (but root) could exchange, or if it cannot be created.
    """
    try:
        for above in reversed(directory.parents):
            if not above.exists():
                above.mkdir(mode=0o700, exist_ok=True)  # whatever the umask is
        parent = directory.parent.lstat()
        if parent.st_uid not in (0, os.geteuid()) and (os.geteuid() or stat.S_ISLNK(parent.st_mode)):
            raise UserError(
                f"{printable_path(directory.parent)} belongs to another user: nothing of yours is safe there"
            )
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise UserError(f"{printable_path(directory)} is not a directory (or is a symbolic link): move it away")
        if found.st_uid != os.geteuid():
            raise UserError(f"{printable_path(directory)} belongs to another user: run this as its owner")
        if stat.S_IMODE(found.st_mode) & 0o077:
            directory.chmod(0o700)
    except OSError as error:
        raise UserError(f"cannot make the directory {printable_path(directory)}: {error.strerror}") from error
    return directory
