"""Make's door: the file that the interpreter is started with, for a recipe line or for the walk.

    entry.py mm1 ...     runs `hot.line`; if that fails, becomes the user's shell
    entry.py walk ...    runs `walk.start`

The interpreter compiles this file at each start, so it is short. It must never fail: a shim that cannot be loaded (a
half removed environment, a damaged file) costs the record, never the line.
"""

import sys

sys.dont_write_bytecode = True  # a build may be removing our environment: write nothing there
part = sys.argv[1]
root = __file__.rsplit("/", 2)[0]
sys.path.append(root)
try:
    import _imp
    import marshal
    import posix

    # Load all modules from one file, which set-up has written (make_metrics/setup/bundle.py).
    fd = posix.open(f"{root}/make_metrics/hot/__pycache__/{part}.{sys.implementation.cache_tag}", posix.O_NONBLOCK)
    bundle = posix.read(fd, 1 << 20)
    posix.close(fd)
    magic = sys.modules["_frozen_importlib_external"].MAGIC_NUMBER
    if bundle[:8] == _imp.source_hash(int.from_bytes(magic, "little"), bundle[8:]):
        loader_code, *arguments = marshal.loads(bundle[8:])
        del bundle  # a recipe may run for hours: do not hold this memory
        exec(loader_code)
        install(root, *arguments)  # type: ignore[name-defined]  # noqa: F821 - make_metrics/hot/bundle_loader.py
except Exception:
    pass  # the ordinary import loads each module from its own file
try:
    if part == "walk":
        from make_metrics.walk.start import main
    else:
        from make_metrics.hot.line import main
    main(sys.argv[1:])
except Exception as failure:  # `hot.line` raises only before it has started the line
    import os
    import signal

    try:
        from make_metrics.hot import failure_log

        failure_log.write_walk_failure(failure) if part == "walk" else failure_log.write_line_failure(
            dict(os.environb), failure
        )
    except Exception:
        pass
    if part == "walk":  # write into the marker that this make is a run of its own: no other line walks again
        key = os.fsencode(sys.argv[3])
        os.write(1, b"!" if key == b"-" else b"%b %b" % (key, key))
        os._exit(0)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # the interpreter ignores these two
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(sys.argv[8], sys.argv[8:])  # become the user's shell
    except OSError as error:
        os._exit(126 if error.errno == 13 else 127)
