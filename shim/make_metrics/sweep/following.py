"""Reading the records of a run that goes on, without a lock: what was read stays, and only what is new is read."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from make_metrics.combine.parts import Run, absorb, gather
from make_metrics.combine.record import parse
from make_metrics.files.paths import Paths

_MOST = 4 * 1024 * 1024  # bytes at once: a screen is drawn in between


class Following:
    """The records of a run, read again and again. `run` has what was read so far."""

    def __init__(self, paths: Paths, run: str) -> None:
        """`run` is the key of the run's top make."""
        self._records = paths.records
        self._read: dict[Path, int] = {}
        self.run = Run(run)

    def read(self) -> None:
        """Read what was written since; an entry that is not complete yet is read next time."""
        for path in (self._records / f"{self.run.id}.rec", *self._records.glob(f"{self.run.id}~*.rec")):
            with contextlib.suppress(OSError):
                text = self._new(path, self._read.get(path, 0))
                complete = text[: text.rfind(b"\n") + 1]
                if complete:
                    self._read[path] = self._read.get(path, 0) + len(complete)
                    absorb(self.run, gather(self.run.id, parse(complete)))

    @staticmethod
    def _new(path: Path, begin: int) -> bytes:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid() or status.st_size <= begin:
                return b""
            file.seek(begin)
            return file.read(_MOST)
