"""The start of the walk, kept short: the first line of each make starts this process and may have to wait for it.

Most of the time goes into loading psutil and what psutil loads.
"""

from __future__ import annotations

import gc
import os
import sys

from make_metrics.processes.later import Later

# psutil imports these modules, but uses none of them while it is loaded or while we walk.
LATER = ("base64", "datetime", "glob", "subprocess")


def _psutil_is_there() -> bool:
    try:
        import psutil
    except ImportError:
        import site

        site.main()  # an editable install: psutil lies in site-packages, not beside us
        try:
            import psutil  # noqa: F401
        except ImportError:
            return False
    return True


def main(words: list[str]) -> None:
    """Walk, given the word "walk" and the words of `walk.walk.main`; does not return. Raises whatever stops it."""
    gc.disable()  # there is no garbage yet
    arguments = [os.fsencode(word) for word in words[1:]]
    for name in LATER:
        sys.modules.setdefault(name, Later(name))
    if _psutil_is_there():
        from make_metrics.walk import walk

        walk.main(arguments)
    else:
        # Without psutil each make is a run of its own. Write that to the marker, so that no other line tries again.
        key = arguments[1]
        if not arguments[0].isdigit():  # only to combine
            os._exit(0)
        os.write(1, b"!" if key == b"-" else b"%b %b" % (key, key))
    os._exit(0)  # skip the interpreter's clean-up: it takes milliseconds
