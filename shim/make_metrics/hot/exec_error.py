"""Make's words for a program that cannot be started: strerror(3) in the language that make was started in."""

import errno
import posix
import sys

# The variables that setlocale(3) and gettext(3) read.
_LANGUAGE_NAMES = (b"LANG", b"LANGUAGE", b"LC_ALL", b"LC_CTYPE", b"LC_MESSAGES", b"LOCPATH")


def message(number: int, version: bytes, environ: dict[bytes, bytes]) -> bytes:
    """The words for an error number; `environ` is the environment that make was started with, empty if unknown.

    Changes the environment and locale of this process; call it when no more program is started.
    """
    if number == errno.ENOENT and version < b"4.3":
        return b"Command not found"
    if not environ:
        return posix.strerror(number).encode(sys.getfilesystemencoding(), "surrogateescape")
    try:
        import _locale

        for name in _LANGUAGE_NAMES:
            if name in environ:
                posix.putenv(name, environ[name])
            else:
                posix.unsetenv(name)
        _locale.setlocale(_locale.LC_ALL, "")
        return posix.strerror(number).encode(_locale.nl_langinfo(_locale.CODESET), "surrogateescape")
    except Exception:  # this locale is not installed: make has not found it either
        return posix.strerror(number).encode("utf-8", "surrogateescape")


def empty_name_error(path: bytes) -> int:
    """The errno for an empty name of a make that searches PATH by itself: it finds the directories of PATH."""
    missing = errno.ENOENT
    for folder in path.split(b":"):
        try:
            posix.stat(folder + b"/" if folder else b"")
            return errno.EACCES
        except OSError as error:
            if error.errno == errno.EACCES:
                return errno.EACCES
            if error.errno != errno.ENOENT:
                missing = error.errno or missing
    return missing
