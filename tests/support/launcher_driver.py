"""Calls the launcher's pure functions, compiled with sanitizers into a program of their own (launcher_driver.c)."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ci.build_launcher import SANITIZERS, build
from tests.support.project import ROOT


class Driver:
    """A process that answers for the launcher's functions."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={"ASAN_OPTIONS": "detect_leaks=0"}
        )

    def ask(self, *words: bytes) -> list[bytes]:
        """The answer to a request: the first word names the function, the others are its arguments."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        texts = b"".join(struct.pack("=I", len(word)) + word for word in words)
        self.process.stdin.write(struct.pack("=I", len(words)) + texts)
        self.process.stdin.flush()
        return [self.process.stdout.read(self._number()) for _ in range(self._number())]

    def _number(self) -> int:
        assert self.process.stdout is not None
        return int(struct.unpack("=I", self.process.stdout.read(4))[0])


@contextmanager
def launcher_driver(folder: Path) -> Iterator[Driver]:
    """A driver that is built in a folder; fails if it does not end well. Raises NotBuilt without a compiler."""
    path = folder / "driver"
    # Its functions are those of this system, whatever variant the tests run.
    flags = (*SANITIZERS, "-Wno-unused-function", "-UASKS_NOTHING")
    build(path, ROOT / "tests/support/launcher_driver.c", flags=flags)
    driver = Driver(path)
    yield driver
    assert driver.process.stdin is not None
    driver.process.stdin.close()
    assert driver.process.wait(60) == 0
