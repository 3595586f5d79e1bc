"""The file that the interpreter is started with, for a recipe line or for the walk beside a make's first one.

    entry.py mm1 ...     hands over to `hot.line`, or becomes the user's shell
    entry.py walk ...    hands over to `walk.start`

The interpreter compiles this file each time, so it is short. Nothing in it may fail: a shim that cannot be loaded (a
half removed environment, a damaged file) costs the record, never the line.
"""

import sys

sys.dont_write_bytecode = True  # a build may be removing the environment that we are in: nothing new in there
part = sys.argv[1]
root = __file__.rsplit("/", 2)[0]
sys.path.append(root)
try:
    import _imp
    import marshal
    import posix

    # All modules at once, from what set-up made of them (make_metrics/setup/bundle.py).
    fd = posix.open(f"{root}/make_metrics/hot/__pycache__/{part}.{sys.implementation.cache_tag}", posix.O_NONBLOCK)
    kept = posix.read(fd, 1 << 20)
    posix.close(fd)
    magic = sys.modules["_frozen_importlib_external"].MAGIC_NUMBER
    if kept[:8] == _imp.source_hash(int.from_bytes(magic, "little"), kept[8:]):
        loader, *rest = marshal.loads(kept[8:])
        del kept  # a line may wait for its recipe for long
        exec(loader)
        install(root, *rest)  # type: ignore[name-defined]  # noqa: F821 - of make_metrics/hot/bundle_loader.py
except Exception:
    pass  # then each from its own file
try:
    if part == "walk":
        from make_metrics.walk.start import main
    else:
        from make_metrics.hot.line import main
    main(sys.argv[1:])
except Exception as failure:  # which leaves `line` only while nothing has been started
    import os
    import signal

    try:
        from make_metrics.hot import failure_log

        failure_log.write_walk_failure(failure) if part == "walk" else failure_log.write_line_failure(
            dict(os.environb), failure
        )
    except Exception:
        pass
    if part == "walk":  # its make is a run of its own then; said in the marker, so that no line tries again
        key = os.fsencode(sys.argv[3])
        os.write(1, b"!" if key == b"-" else b"%b %b" % (key, key))
        os._exit(0)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(sys.argv[8], sys.argv[8:])  # be the user's shell
    except OSError as error:
        os._exit(126 if error.errno == 13 else 127)
