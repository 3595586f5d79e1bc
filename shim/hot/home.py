"""Where records are kept, for the hot path; `shim.paths` says the same to everybody else."""

import posix
import sys


def state(handed: bytes, environ: dict[bytes, bytes], *, level: int = 0) -> tuple[bytes, bytes]:
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


def config(environ: dict[bytes, bytes]) -> bytes:
    """The directory of decisions and ids; empty where there is no home."""
    moved = environ.get(b"MAKE_METRICS_HOME")
    if moved:
        return moved + b"/config"
    home = environ.get(b"HOME", b"")
    if sys.platform == "darwin":
        return home and home + b"/Library/Application Support/make-metrics"
    base = environ.get(b"XDG_CONFIG_HOME", b"").strip()
    return base + b"/make-metrics" if base else home and home + b"/.config/make-metrics"


def decision(environ: dict[bytes, bytes], project: bytes) -> bytes:
    """The file of what was decided about the project in a directory; empty where there is no home."""
    folder = config(environ)
    return folder and b"%b/consent/%b.json" % (folder, _sha256(project)[:32].encode())


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


def _above(path: bytes) -> bytes:
    return path.rpartition(b"/")[0]


def _home_of_user() -> bytes:
    import pwd

    try:
        return pwd.getpwuid(posix.getuid()).pw_dir.encode()
    except KeyError:
        raise OSError("this user has no home") from None
