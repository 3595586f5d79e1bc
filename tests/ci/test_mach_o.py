"""What macOS asks of a program: a signature that fits, no library but the system's, no newer system than the tag's."""

from __future__ import annotations

import hashlib
import importlib.util
import struct
from pathlib import Path

import pytest

from ci.build_launcher import TARGETS, cross_build
from ci.mach_o import Unsuitable, check

_SYSTEM = b"/usr/lib/libSystem.B.dylib"
_TEXT = b"x" * 5000  # two pages


def _program(*, library: bytes = _SYSTEM, version: tuple[int, int] = (11, 0), signed: bool = True) -> bytes:
    """A program for macOS of four load commands and a text, signed as Apple's linker does it."""
    name = library.ljust(-(-len(library) // 8) * 8, b"\0")
    commands = [
        struct.pack("<6I", 0xC, 24 + len(name), 24, 0, 0, 0) + name,
        struct.pack("<6I", 0x32, 24, 1, version[0] << 16 | version[1] << 8, 0, 0),
    ]
    start = 32 + sum(map(len, commands)) + 16 * signed + len(_TEXT)
    if signed:
        commands.append(struct.pack("<4I", 0x1D, 16, start, 0))
    header = struct.pack("<8I", 0xFEEDFACF, 0x100000C, 0, 2, len(commands), sum(map(len, commands)), 0, 0)
    program = header + b"".join(commands) + _TEXT
    if not signed:
        return program
    pages = [program[at : at + 4096] for at in range(0, len(program), 4096)]
    hashes = b"".join(hashlib.sha256(page).digest() for page in pages)
    directory = struct.pack(
        ">9I4B", 0xFADE0C02, 40 + len(hashes), 0x20400, 2, 40, 0, 0, len(pages), start, 32, 2, 0, 12
    )
    return program + struct.pack(">5I", 0xFADE0CC0, 20 + len(directory), 1, 0, 20) + directory + hashes


def test_a_signed_program_of_the_systems_library_is_suitable() -> None:
    check(_program(), (11, 0), signed=True)
    check(_program(signed=False), (11, 0), signed=False)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (_program(signed=False), "is not signed"),
        (_program().replace(b"xx", b"xy", 1), "does not fit page 0"),
        (_program()[:4990] + b"y" + _program()[4991:], "does not fit page 1"),
        (_program(library=b"/opt/homebrew/lib/libintl.8.dylib"), "needs /opt/homebrew/lib/libintl.8.dylib"),
        (_program(version=(12, 3)), r"is for macOS \(12, 3\)"),
        (_program()[:-10], "does not fit page 1"),
        (_program()[:60], "cut short"),
        (b"", "cut short"),
    ],
)
def test_what_macos_would_not_run_is_found(program: bytes, reason: str) -> None:
    with pytest.raises(Unsuitable, match=reason):
        check(program, (11, 0), signed=True)


@pytest.mark.parametrize("target", [target for target in TARGETS if target.startswith("macos")])
def test_macos_would_run_the_launcher(tmp_path: Path, target: str) -> None:
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("no ziglang here (pip install ziglang): ci/wheels compiles for other machines")
    cross_build(tmp_path / "launcher", target)
    check((tmp_path / "launcher").read_bytes(), (11, 0), signed=target == "macos-arm64")
