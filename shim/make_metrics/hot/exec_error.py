"""Make's words for a program that cannot be started: strerror(3) in the language that make was started in."""

import errno
import posix
import sys

# The variables that setlocale(3) and gettext(3) read.
_LANGUAGE_NAMES = (b"LANG", b"LANGUAGE", b"LC_ALL", b"LC_CTYPE", b"LC_MESSAGES", b"LOCPATH")


def is_lost(version: tuple[int, int]) -> bool:
    """Whether make itself would lose its message: 4.0 and 4.1 do if they collect what the line prints (-O).

    They collect it in a file without a name.
    """
    if version not in ((4, 0), (4, 1)):
        return False
    try:
        errors = posix.fstat(2)
    except OSError:
        return False
    return errors.st_mode & 0o170000 == 0o100000 and errors.st_nlink == 0


def message(
    name: bytes, number: int, version: tuple[int, int], environ: dict[bytes, bytes], of_apple: bool = False
) -> bytes:
    """What a make of this version says about a program that cannot be started, with an error number.

    `environ` is the environment that make was started with, empty if unknown. Changes the environment and locale of
    this process; call it when no more program is started.
    """
    if version < (4, 3) and not of_apple:
        if number == errno.ENOENT:
            return name + b": Command not found"
        name = b"execvp: " + name
    return name + b": " + _text(number, environ)


def _text(number: int, environ: dict[bytes, bytes]) -> bytes:
    """strerror(3) in make's language."""
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
