"""What macOS asks of a program before it runs it, read from the program's bytes on any machine.

Apple's ARM machines end a program that is not signed, or whose signature does not fit, before its first instruction.
The linker signs it ("ad hoc": a hash of each page, and no name). Formats: mach-o/loader.h, and cs_blobs.h of xnu.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

_LOAD_DYLIB, _CODE_SIGNATURE, _BUILD_VERSION = 0xC, 0x1D, 0x32
_SIGNATURE, _CODE_DIRECTORY = 0xFADE0CC0, 0xFADE0C02
_SHA256 = 2
_SYSTEM_LIBRARY = b"/usr/lib/libSystem.B.dylib"


class Unsuitable(Exception):  # noqa: N818 - what is wrong with a program
    """macOS would not run the program; the message says why."""


def check(program: bytes, oldest: tuple[int, int], *, signed: bool) -> None:
    """Check a 64-bit program for macOS `oldest` and later; with `signed` it must have a signature that fits.

    Raises Unsuitable if macOS would not run it, or only with more libraries than the system's.
    """
    try:
        libraries, version, signature = _read(program)
        if libraries != [_SYSTEM_LIBRARY]:
            raise Unsuitable(f"it needs {b' '.join(libraries).decode(errors='replace')}")
        if version is None or version > oldest:
            raise Unsuitable(f"it is for macOS {version}, and not for {oldest}")
        if signature is not None:
            _check_signature(program, signature)
        elif signed:
            raise Unsuitable("it is not signed")
    except (struct.error, IndexError) as error:
        raise Unsuitable(f"it is cut short: {error}") from error


def _read(program: bytes) -> tuple[list[bytes], tuple[int, int] | None, int | None]:
    """The libraries that a program loads, the oldest macOS that it is for, and where its signature stands."""
    libraries, version, signature = [], None, None
    for kind, at, size in _commands(program):
        if kind == _LOAD_DYLIB:
            (name,) = struct.unpack_from("<I", program, at + 8)
            libraries.append(program[at + name : at + size].partition(b"\0")[0])
        elif kind == _BUILD_VERSION:
            (number,) = struct.unpack_from("<I", program, at + 12)
            version = (number >> 16, number >> 8 & 0xFF)
        elif kind == _CODE_SIGNATURE:
            (signature,) = struct.unpack_from("<I", program, at + 8)
    return libraries, version, signature


def _commands(program: bytes) -> Iterator[tuple[int, int, int]]:
    """Each load command: its kind, where it stands, and its size."""
    (count,) = struct.unpack_from("<I", program, 16)
    at = 32
    for _ in range(count):
        kind, size = struct.unpack_from("<II", program, at)
        yield kind, at, size
        at += size


def _check_signature(program: bytes, start: int) -> None:
    """Compare each page with its hash; raises Unsuitable."""
    magic, _, count = struct.unpack_from(">III", program, start)
    places = [struct.unpack_from(">II", program, start + 12 + 8 * number)[1] for number in range(count)]
    directories = [at for at in (start + place for place in places) if program[at : at + 4] == _big(_CODE_DIRECTORY)]
    if magic != _SIGNATURE or not directories:
        raise Unsuitable("its signature has no list of hashes")
    at = directories[0]
    hashes, pages, limit = struct.unpack_from(">4xI8xII", program, at + 12)
    size, kind, _, bits = struct.unpack_from(">4B", program, at + 36)
    if kind != _SHA256 or limit != start or pages != (limit - 1 >> bits) + 1:
        raise Unsuitable("its signature does not cover it")
    for page in range(pages):
        text = program[page << bits : min(limit, page + 1 << bits)]
        if hashlib.sha256(text).digest()[:size] != program[at + hashes + page * size :][:size]:
            raise Unsuitable(f"its signature does not fit page {page}")


def _big(number: int) -> bytes:
    return struct.pack(">I", number)
