"""Removing what make-metrics has written on this machine: the opposite of `renewal.set_up`, and of recording."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from make_metrics.files.paths import Paths
from make_metrics.files.read import read_file
from make_metrics.files.write import remove_file
from make_metrics.setup import bundle, fragment, launcher_copy


def other_installation(paths: Paths) -> str:
    """The entry.py of another installation that the fragment names and that is there; empty if there is none."""
    with contextlib.suppress(OSError, ValueError):
        values = fragment.read_values((read_file(paths.fragment) or b"").decode())
        entry = values.get(fragment.kind_of_machine(), values.get("", {})).get("entry", "")
        if entry and entry != str(fragment.entry()) and os.path.lexists(entry):
            return entry
    return ""


def remove_set_up(paths: Paths) -> list[Path]:
    """Remove the fragment, what it remembers, copies of the launcher, and the bundles; gives what was removed.

    Raises UserError if something cannot be removed.
    Bundles stay in a package that this user cannot change: all who share it use them.
    """
    folder = bundle.path("").parent
    bundles = (path for part in bundle.PARTS for path in folder.glob(f"{part}.*") if os.access(folder, os.W_OK))
    return _remove([paths.fragment, paths.tried, paths.tried_launcher, *launcher_copy.files(paths), *bundles])


def remove_markers(paths: Paths) -> list[Path]:
    """Remove the markers of makes, and the lock files that no process holds; gives what was removed.

    Raises UserError if something cannot be removed.
    """
    removed = _remove([*_files(paths.makes), *_files(paths.state / "paused"), paths.sender_wanted])
    senders = (paths.sender_lock, paths.sender_resting)
    for lock in (paths.sweep_lock, paths.send_lock, *senders, paths.crash_lock, paths.consent_lock):
        removed += _remove([lock]) if _is_free(lock) else []
    return removed


def remove_data(paths: Paths) -> list[Path]:
    """Remove all that was recorded, and the files of file sinks in our own directory; gives what was removed.

    Raises UserError if something cannot be removed.
    """
    folders = (paths.records, paths.set_aside, paths.crashes, paths.catalogue, paths.sink_kinds, paths.files)
    store = [paths.store.with_name(paths.store.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]
    stamps = [paths.makefile_stamps] if paths.makefile_stamps.is_symlink() or paths.makefile_stamps.is_file() else []
    return _remove([*store, *stamps, *(path for folder in folders for path in _files(folder))])


def remove_decisions(paths: Paths) -> list[Path]:
    """Remove all decisions and pseudonymous ids; gives what was removed. The user's own settings.toml stays.

    Raises UserError if something cannot be removed.
    """
    folders = (paths.decisions, paths.identities, paths.invitations, paths.crash_decisions, paths.erasures)
    files = [path for folder in folders for path in _files(folder)]
    return _remove([*files, paths.on_this_machine_file, paths.off_file])


def remove_empty_directories(paths: Paths) -> None:
    """Remove our directories that are empty, and no other."""
    for root in dict.fromkeys((paths.state, paths.config, paths.data, paths.fragment.parent)):
        with contextlib.suppress(OSError):
            for folder in [*(path for path in root.iterdir() if path.is_dir() and not path.is_symlink()), root]:
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _files(folder: Path) -> list[Path]:
    """All files below a directory, without following links; none if it is missing."""
    return [Path(root, name) for root, _, names in os.walk(folder) for name in names]


def _remove(files: Iterable[Path]) -> list[Path]:
    removed = []
    for path in files:
        if os.path.lexists(path):
            remove_file(path)
            removed.append(path)
    return removed


def _is_free(lock: Path) -> bool:
    from make_metrics.files.lock import is_held

    try:
        return lock.is_file() and not is_held(lock)
    except OSError:
        return False
