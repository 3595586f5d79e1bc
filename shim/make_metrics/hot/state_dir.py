"""Finds the state directory for the hot path; `files.paths` does it for all other code.

tests/files/test_user_dirs.py holds both, the launcher, the walk and the fragment to one table.
"""

import posix
import sys


def find_state_dir(handed: bytes, environ: dict[bytes, bytes], *, level: int = 0) -> tuple[bytes, bytes]:
    """The state directory, and the directory above it that must exist already.

    That is the home, for a state directory below it: a fresh home has no `.local` yet, but a missing home is never
    created. Elsewhere it is the directory's parent.

    In this order: MAKE_METRICS_HOME, `handed` (what set-up wrote into the fragment), the platform's own. Raises OSError
    without a home, and as root through sudo or with somebody else's home at make's `level` 0: nothing is recorded for
    such a make, but for a make that is nested in an unprivileged one, which has made the state directory.
    """
    state, anchor = _find(handed, environ)
    if not posix.geteuid():
        if not level and environ.get(b"SUDO_UID", b"0") != b"0":
            raise OSError("root for somebody else")
        if _owner(anchor or b"/") and not (level and _owner(state) is not None):
            raise OSError("root in somebody else's home")
    return state, anchor


def _owner(path: bytes) -> int | None:
    """The user who owns what stands there, None if that cannot be said."""
    try:
        return posix.stat(path).st_uid
    except OSError:
        return None


def _find(handed: bytes, environ: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    root = environ.get(b"MAKE_METRICS_HOME")
    if root:
        if root[:1] != b"/":
            raise OSError("MAKE_METRICS_HOME is not absolute")
        root = root.rstrip(b"/")
        return root + b"/state", _parent(root)
    if handed[:1] == b"/":
        return handed, _anchor(handed, environ.get(b"HOME", b""))
    home = environ.get(b"HOME", b"")
    if home[:1] != b"/":
        home = _home_of_user()
    base = environ.get(b"XDG_STATE_HOME", b"")
    if base[:1] == b"/":  # XDG Base Directory Specification: a relative path is invalid and ignored
        base = base.rstrip(b"/")
        return base + b"/make-metrics", _anchor(base, home)
    below = b"/Library/Application Support" if sys.platform == "darwin" else b"/.local/state"
    return home + below + b"/make-metrics", home


def _anchor(path: bytes, home: bytes) -> bytes:
    """The directory above a path that must exist already; `home` may be empty."""
    home = home.rstrip(b"/")
    return home if home and path.startswith(home + b"/") else _parent(path)


def _parent(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def _home_of_user() -> bytes:
    import pwd

    try:
        return pwd.getpwuid(posix.getuid()).pw_dir.encode()
    except KeyError:
        raise OSError("this user has no home") from None
