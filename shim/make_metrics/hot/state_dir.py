"""Where records are kept, for the hot path; `files.paths` says the same to everybody else."""

import posix
import sys


def find_state_dir(handed: bytes, environ: dict[bytes, bytes], *, level: int = 0) -> tuple[bytes, bytes]:
    """The state directory, and the directory above it that must be there already (a home is never made).

    It is MAKE_METRICS_HOME's, else what set-up handed over, else the platform's own. Raises OSError if there is no
    home, and for a developer's own make that runs as root through sudo: only a make that such a one is nested in has
    somebody to record for.
    """
    if not level and not posix.geteuid() and environ.get(b"SUDO_UID", b"0") != b"0":
        raise OSError("root for somebody else")
    moved = environ.get(b"MAKE_METRICS_HOME")
    if moved:
        if moved[:1] != b"/":
            raise OSError("MAKE_METRICS_HOME is not absolute")
        moved = moved.rstrip(b"/")
        return moved + b"/state", _above(moved)
    if handed[:1] == b"/":
        return handed, _above(handed)
    home = environ.get(b"HOME") or _home_of_user()
    if sys.platform == "darwin":
        return home + b"/Library/Application Support/make-metrics", home
    base = environ.get(b"XDG_STATE_HOME", b"")
    if base[:1] == b"/":
        return base + b"/make-metrics", _above(base)
    return home + b"/.local/state/make-metrics", home


def _above(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def _home_of_user() -> bytes:
    import pwd

    try:
        return pwd.getpwuid(posix.getuid()).pw_dir.encode()
    except KeyError:
        raise OSError("this user has no home") from None
