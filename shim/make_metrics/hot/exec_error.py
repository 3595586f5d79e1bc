"""What make says when a program cannot be started: the C library's words, in the language that make was started in."""

import errno
import posix
import sys

# What setlocale(3) and gettext(3) go by.
_LANGUAGE = (b"LANG", b"LANGUAGE", b"LC_ALL", b"LC_CTYPE", b"LC_MESSAGES", b"LOCPATH")


def message(number: int, version: bytes, environ: dict[bytes, bytes]) -> bytes:
    """The words for an error number; `environ` is what make was started with, empty where that cannot be told.

    Changes this process's own environment and locale, which no program that it starts is given.
    """
    if number == errno.ENOENT and version < b"4.3":
        return b"Command not found"
    if not environ:
        return posix.strerror(number).encode(sys.getfilesystemencoding(), "surrogateescape")
    try:
        import _locale

        for name in _LANGUAGE:
            if name in environ:
                posix.putenv(name, environ[name])
            else:
                posix.unsetenv(name)
        _locale.setlocale(_locale.LC_ALL, "")
        return posix.strerror(number).encode(_locale.nl_langinfo(_locale.CODESET), "surrogateescape")
    except Exception:  # no such locale: make has not found it either
        return posix.strerror(number).encode("utf-8", "surrogateescape")
