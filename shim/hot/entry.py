"""The file that the interpreter is started with: hands over to `shim.hot.line`, or becomes the user's shell.

Nothing here may fail: a shim that cannot be loaded (a half removed environment, a damaged file) costs the record, never
the line.
"""

import sys


def fall_back() -> None:
    """Be the user's shell: words as in `shim.hot.handover`, found without its help."""
    import _signal
    import posix

    for name in ("SIGPIPE", "SIGXFSZ"):
        _signal.signal(getattr(_signal, name), _signal.SIG_DFL)
    words = sys.argv[1:]
    shell = words[7 : 7 + int(words[6])]
    folders = [""] if "/" in shell[0] else posix.environ.get(b"PATH", b"/bin:/usr/bin").decode().split(":")
    for folder in folders:
        path = f"{folder}/{shell[0]}" if folder else shell[0]
        try:
            posix.execv(path, words[7:])
        except OSError as error:
            status = error.errno
    posix._exit(126 if status == 13 else 127)


def write_down(failure: Exception) -> None:
    """Leave a note for `make-metrics doctor`, if that can be done."""
    try:
        import posix

        from shim.hot import crash

        crash.of_line(dict(posix.environ), failure)
    except Exception:  # noqa: S110
        pass


try:
    sys.path.insert(0, __file__.rsplit("/", 3)[0])
    from shim.hot import line

    line.main(sys.argv[1:])
except Exception as failure:  # which leaves `line` only while nothing has been started
    write_down(failure)
    fall_back()
