"""The start of the walk, whose process the first line of each make starts, and may have to wait for.

Most of its time goes into loading psutil, and all that psutil loads; none of that is garbage yet.
"""

from __future__ import annotations

import gc
import os


def _psutil_is_there() -> bool:
    try:
        import psutil
    except ImportError:
        import site

        site.main()  # a checkout that is installed in place: psutil is elsewhere
        try:
            import psutil  # noqa: F401
        except ImportError:
            return False
    return True


def main(words: list[str]) -> None:
    """Walk, with "walk" and the words of `shim.ancestry.main`; does not return. Raises whatever keeps it from that."""
    gc.disable()
    given = [os.fsencode(word) for word in words[1:]]
    if _psutil_is_there():
        from shim import ancestry

        ancestry.main(given)
    else:
        # No walk without it: each make is a run of its own then. Said in the marker, so that no line tries again.
        os.write(1, b"!" if given[1] == b"-" else b"%b %b" % (given[1], given[1]))
    os._exit(0)  # taking an interpreter apart takes milliseconds
