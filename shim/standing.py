"""How a make's project stands, as far as the walk must know: may anything be recorded, and may an invitation be due?

A recipe's first line may wait for the answer. For most makes it is a few names that are looked for; only where those
are found is anything loaded to read them.
"""

from __future__ import annotations

import os
import sys
from collections import namedtuple
from collections.abc import Mapping

from shim import ceiling, own_file, places

WEEK_NS = 7 * 86_400_000_000_000
TIMES = 3

Root = namedtuple("Root", ("directory", "settings"))
Root.__doc__ = "A project's root directory, and whether a settings file is there."


def root(directory: str) -> Root:
    """The project of a directory (without symbolic links in it), as `shim.settings.project_of` has it."""
    folder, below, nearest = directory, "", ""
    while folder != below:
        if not nearest and os.path.lexists(os.path.join(folder, places.SETTINGS)):
            nearest = folder
        if os.path.lexists(os.path.join(folder, ".git")):
            return Root(nearest or folder, bool(nearest))
        folder, below = os.path.dirname(folder), folder
    return Root(directory, bool(directory) and nearest == directory)


def text(directory: str | os.PathLike[str]) -> str:
    """A directory as text, also where its name is not UTF-8."""
    return os.fsencode(directory).decode("utf-8", "backslashreplace")


def key(directory: str | os.PathLike[str]) -> str:
    """The name of a project's files: a hash of where it is, so that no path of the user's is in a name."""
    return _sha256(os.fsencode(directory))[:32]


def _sha256(text: bytes) -> str:
    # hashlib loads a library of cryptography: several milliseconds for one digest. Its own modules are small.
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256
    except ImportError:
        from hashlib import sha256
    return str(sha256(text).hexdigest())


def decision_file(project: Root, environ: Mapping[str, str]) -> str:
    """The file of what a user decided about a project, there or not."""
    return os.path.join(places.of(environ).config, places.DECISIONS, f"{key(project.directory)}.json")


def off(project: Root, environ: Mapping[str, str]) -> bool:
    """Whether nothing may be recorded: the decision is damaged, or there is none, in CI. As `shim.mode.decide` rules.

    What `make-metrics off` and MAKE_METRICS say is the fragment's business: nothing runs then that could ask.
    """
    data, config = places.of(environ)
    folder = os.path.join(config, places.DECISIONS)
    undecided = True
    if _has_entries(folder):
        from shim import decision

        # A make that sudo has started within the developer's own: the file is the developer's.
        kind, _ = decision.read(decision_file(project, environ), text(project.directory), anybodys=not os.geteuid())
        if kind in (decision.CORRUPT, decision.UNREADABLE):
            return True
        undecided = kind == decision.NONE
    return undecided and ceiling.in_ci(environ) and not os.path.lexists(os.path.join(data, places.KEPT_HERE))


def _has_entries(folder: str) -> bool:
    """Whether there is anything in a directory; one that cannot be looked into may have it."""
    try:
        with os.scandir(folder) as entries:
            return any(True for _ in entries)
    except FileNotFoundError:
        return False
    except OSError:
        return True


def may_invite(project: Root, environ: Mapping[str, str], *, now_ns: int) -> bool:
    """Whether an invitation may be due, as far as can be told without reading settings: most often it is not.

    For a project whose settings speak of sinks and about which nothing was decided, outside of CI, where the
    environment holds nothing back, and not too often.
    """
    if not project.settings or ceiling.in_ci(environ) or ceiling.of(environ) != "on":
        return False
    if os.path.lexists(decision_file(project, environ)):
        return False
    try:
        shown = times(os.path.join(places.of(environ).config, places.INVITATIONS, key(project.directory)))
        return due(shown, now_ns=now_ns) and b"sinks" in _text(os.path.join(project.directory, places.SETTINGS))
    except (OSError, ValueError):
        return False


def _text(path: str) -> bytes:
    return own_file.read(path, anybodys=True) or b""


def times(path: str | os.PathLike[str]) -> list[int]:
    """When an invitation was shown, by its note: nanoseconds since the epoch, a line each.

    Raises OSError or ValueError for a note that cannot be read.
    """
    return [int(line) for line in (own_file.read(path) or b"").split()]


def due(shown_ns: list[int], *, now_ns: int) -> bool:
    """Whether it may be shown again, given when it was; not while the clock is behind."""
    return len(shown_ns) < TIMES and now_ns - max(shown_ns, default=now_ns - WEEK_NS) >= WEEK_NS
