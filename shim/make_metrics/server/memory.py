"""Gives memory back to the system that glibc keeps: it has a heap for each few threads, and none shrinks by itself.

With another C library nothing is done: they keep less, or give it back themselves.
"""

from __future__ import annotations

import ctypes
import sys

_ARENA_MAX = -8  # M_ARENA_MAX in malloc.h
_HEAPS = 2


def use_few_heaps() -> None:
    """Have threads share two heaps; call this before they start."""
    if (library := _glibc()) is not None:
        library.mallopt(_ARENA_MAX, _HEAPS)


def give_back() -> None:
    """Give back what is free in all heaps; this takes some milliseconds."""
    if (library := _glibc()) is not None:
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
