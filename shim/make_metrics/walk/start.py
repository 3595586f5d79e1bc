"""The start of the walk, whose process the first line of each make starts, and may have to wait for.

Most of its time goes into loading psutil, and all that psutil loads; none of that is garbage yet.
"""

from __future__ import annotations

import gc
import os
import sys
from types import ModuleType

# psutil mentions these, and asks nothing of them while it is loaded, or walks.
LATER = ("base64", "datetime", "glob", "subprocess")


class Later(ModuleType):
    """A module that is loaded when something is asked of it.

    importlib.util.LazyLoader's are loaded by the next `import` of the module, which asks for its `__spec__`.
    """

    def __getattr__(self, name: str) -> object:
        """Load the module, and be like it."""
        own = self.__name__
        if sys.modules.get(own) is self:
            del sys.modules[own]
        module = __import__(own)
        self.__dict__.update(vars(module))
        return getattr(module, name)


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
    """Walk, with "walk" and the words of `walk.walk.main`; does not return. Raises whatever keeps it from that."""
    gc.disable()
    given = [os.fsencode(word) for word in words[1:]]
    for name in LATER:
        sys.modules.setdefault(name, Later(name))
    if _psutil_is_there():
        from make_metrics.walk import walk

        walk.main(given)
    else:
        # No walk without it: each make is a run of its own then. Said in the marker, so that no line tries again.
        os.write(1, b"!" if given[1] == b"-" else b"%b %b" % (given[1], given[1]))
    os._exit(0)  # taking an interpreter apart takes milliseconds
