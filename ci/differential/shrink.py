"""Makes a program that differs small: pieces are left out as long as it still differs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from ci.differential.program import Piece, Program


def shrink(program: Program, differs: Callable[[Program], bool], *, seconds: float) -> Program:
    """The smallest program that was found within a time; `differs` says whether one still shows the difference."""
    give_up = time.monotonic() + seconds
    if program.mode != "merged" and differs(replace(program, mode="merged")):
        program = replace(program, mode="merged")
    pieces, size = program.pieces, max(1, len(program.pieces) // 2)
    while time.monotonic() < give_up:
        smaller = _without(pieces, size, lambda left: differs(replace(program, pieces=left)), give_up)
        if size == 1 and smaller == pieces:
            break
        pieces, size = smaller, max(1, size // 2)
    return replace(program, pieces=pieces)


def _without(
    pieces: tuple[Piece, ...], size: int, still: Callable[[tuple[Piece, ...]], bool], give_up: float
) -> tuple[Piece, ...]:
    """The pieces without each group of a size that is not needed."""
    start = 0
    while start < len(pieces) and time.monotonic() < give_up:
        left = pieces[:start] + pieces[start + size :]
        if still(left):
            pieces = left
        else:
            start += size
    return pieces
