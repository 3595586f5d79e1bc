"""Writing all that set-up writes, and writing it again after an upgrade.

Up to version 0.1 the import package was called `shim`. An upgrade removes it, and with it the files that the user's
fragment names: make then runs as if there were no fragment. The next command renews the fragment.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, cannot, private_directory
from make_metrics.files.read import read_file
from make_metrics.setup import fragment, launcher_copy

# The fragment's date, seconds since the epoch: the last day of 1999. Up to 4.3 make complains of a makefile that is
# dated in the future, and another machine's clock may be years behind, or begin at the year 2000 with each boot. It
# also complains of a date before 1970, and faketime moves the dates of files along with the clock. Make never compares
# this date with another file's: the fragment's rule has no prerequisites.
DATE = 946_598_400
_DIRECTORIES = ("state", "data", "config")
_SITE_PACKAGES = Path(__file__).resolve().parent.parent.parent
_BUNDLE = re.compile(r"hot/__pycache__/(mm1|walk)\.[\w.-]+")
_COMPILED = re.compile(r"(.+/)?__pycache__/[^/]+\.pyc")


def set_up(paths: Paths) -> None:
    """Write the user's fragment and the bundles, and create the state directory.

    Raises UserError if the fragment or the directory cannot be written.
    """
    from make_metrics.setup import bundle  # only here: every command imports this module

    earlier = ""
    with contextlib.suppress(OSError, ValueError):
        earlier = (read_file(paths.fragment) or b"").decode()
    try:
        private_directory(paths.fragment.parent)
        launcher_copy.write(paths, fragment.launcher())
        text = fragment.keep_other_machines(fragment.render(paths), earlier)
        scratch = paths.fragment.with_suffix(f".{os.getpid()}")
        scratch.write_text(text)
        scratch.chmod(0o644)
        os.utime(scratch, (DATE, DATE))
        scratch.replace(paths.fragment)
    except OSError as error:
        raise UserError(cannot("write", paths.fragment, error)) from error
    private_directory(paths.state)  # a recipe line creates it only where the directory above exists
    bundle.write()  # without bundles each line takes a little longer; doctor reports why
    remove_old_package()


def renew() -> None:
    """Set up again if the fragment names a package that is gone, or if an older version of this package wrote it.

    A fragment that another installation wrote, with its package intact, stays as it is. So does one that names other
    directories than this environment does. Reports nothing if it cannot write: `make-metrics doctor` does.
    """
    if not os.geteuid() and os.environ.get("SUDO_UID", "0") != "0":
        return  # the file would become root's
    with contextlib.suppress(OSError, ValueError, UserError):
        paths = Paths.from_environment()
        content = read_file(paths.fragment)
        if content and _is_outdated(content.decode(), paths):
            set_up(paths)


def _is_outdated(text: str, paths: Paths) -> bool:
    by_kind = fragment.read_values(text)
    values = by_kind.get(fragment.kind_of_machine()) or by_kind.get("")
    if not values:
        return False  # set-up did not write this file, or on another kind of machine only
    if any(values.get(name) != fragment.escape(getattr(paths, name)) for name in _DIRECTORIES):
        return False
    if not os.path.lexists(values["entry"]):
        return True
    if values["entry"] != str(fragment.entry()):
        return False
    launcher, copy = values.get("launcher"), values.get("copy")
    if launcher and copy and launcher_copy.is_outdated(Path(copy), Path(launcher)):
        return True
    return fragment.without_values(text) != fragment.written()


def remove_old_package(site_packages: Path = _SITE_PACKAGES) -> None:
    """Remove the bundles of the package `shim` when an upgrade has removed the rest of it.

    pip removes only files that it installed, and Python imports a folder without modules as an empty package. A folder
    `shim` with anything else in it stays. Raises nothing.
    """
    folder = site_packages / "shim"
    with contextlib.suppress(OSError):
        if not stat.S_ISDIR(folder.lstat().st_mode):
            return
        paths = sorted(folder.rglob("*"), reverse=True)  # a folder comes after what is in it
        folders = [path for path in paths if stat.S_ISDIR(path.lstat().st_mode)]
        files = {path.relative_to(folder).as_posix(): path for path in paths if path not in folders}
        bundles = [name for name in files if _BUNDLE.fullmatch(name)]
        if not bundles or not all(_BUNDLE.fullmatch(name) or _COMPILED.fullmatch(name) for name in files):
            return
        for path in files.values():
            path.unlink()
        for path in (*folders, folder):
            path.rmdir()
