"""Calls a shim as make does, but without make: this process takes make's place, with a marker of its own."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from make_metrics.combine import record
from make_metrics.hot import procfs
from tests.support.launcher_variant import asks_nothing
from tests.support.project import SOURCE

ENTRY = SOURCE / "make_metrics/entry.py"
RUN = b"0123abcd.77.4242"
PYTHON_SHIM: Sequence[str] = (sys.executable, "-I", "-S", str(ENTRY))


def compiled(launcher: Path, python: str = "") -> Sequence[str]:
    """The command line of a launcher, up to the arguments; without a Python that could do the launcher's work.

    The launcher that asks the system nothing has one: what it would have to ask, it leaves to Python.
    """
    return (str(launcher), python or (sys.executable if asks_nothing() else "/nowhere/python"), *PYTHON_SHIM[1:])


def copied(folder: Path) -> Sequence[str]:
    """The Python shim of a copy of the package, on which set-up did not work: each module comes from its own file."""
    shutil.copytree(SOURCE, folder / "shim", ignore=shutil.ignore_patterns("__pycache__", "launcher*", "in_c"))
    return (*PYTHON_SHIM[:-1], str(folder / "shim/make_metrics/entry.py"))


def shim_words(
    line: str | bytes,
    state: Path | str,
    *,
    shell: Sequence[str] = ("/bin/sh",),
    flags: Sequence[str] = ("-c",),
    target: str = "target",
    goal: str = "",
    make: str = "0:4.3:make:f",
    environment: str = "",
) -> list[str | bytes]:
    """The arguments as the fragment writes them, with the shell, flags and line."""
    meta = ("mm1", f"t:{target}", f"g:{goal}", f"m:{make}", f"h:{state}", f"e:{environment}")
    return [*meta, str(len(shell)), *shell, *flags, line]


@dataclass(frozen=True)
class Outcome:
    """All that a line leaves: what the build sees, and its entries without times."""

    status: int
    out: bytes
    err: bytes
    files: tuple[tuple[str, bytes], ...]
    entries: tuple[tuple[str, str, str, int, int, int], ...]


class Make:
    """A make whose walk has ended: this process, or the one with the given pid."""

    def __init__(self, folder: Path, pid: int | None = None) -> None:
        self.state = folder / "state"
        self.records, self.makes = self.state / "records", self.state / "makes"
        self.work = folder / "work"
        for path in (self.state, self.records, self.makes, self.work):
            path.mkdir(mode=0o700, parents=True)
        self.key = procfs.process_key(pid or os.getpid()) or b""
        self.marker = self.makes / os.fsdecode(self.key)
        self.marker.write_bytes(RUN + b" " + self.key)
        self.record = self.records / f"{RUN.decode()}.rec"
        self.lock = self.records / f"{RUN.decode()}.lock"

    def environment(self, **more: str) -> dict[str, str]:
        """A small environment, as for a line of this make."""
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "MAKELEVEL": "1", **more}

    def start(self, shim: Sequence[str], words: Sequence[str | bytes], **more: Any) -> subprocess.Popen[bytes]:
        """Start a line."""
        options: dict[str, Any] = {"cwd": self.work, "env": self.environment(), "stdin": subprocess.DEVNULL, **more}
        return subprocess.Popen([*shim, *words], **options)

    def run(
        self,
        shim: Sequence[str],
        words: Sequence[str | bytes],
        *,
        env: Mapping[str, str] | None = None,
        pipe: bool = False,
        background: bool = False,
        **more: Any,
    ) -> Outcome:
        """Run a line to its end, in an empty folder, and take what it left.

        `background` also waits for the processes that the line leaves behind. They inherit the writing end of a pipe,
        as they inherit every descriptor, and the reading end sees its end when the last of them has ended.
        """
        environ = dict(self.environment() if env is None else env)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, ExitStack() as at_end:
            options: dict[str, Any] = {
                "stdout": subprocess.PIPE if pipe else out,
                "stderr": err,
                "env": environ,
                **more,
            }
            if background:
                options["pass_fds"] = (at_end.enter_context(_all_ended()),)
            process = self.start(shim, words, **options)
            output = process.communicate(timeout=100)[0]
            at_end.close()
            out.seek(0)
            err.seek(0)
            files = tuple((path.name, path.read_bytes()) for path in sorted(self.work.iterdir()))
            for name, _ in files:
                (self.work / name).unlink()
            return Outcome(process.returncode, output or out.read(), err.read(), files, self.take_entries())

    def entries(self) -> tuple[tuple[str, str, str, int, int, int], ...]:
        """The entries of all records, without times; fails if one of them is torn."""
        lines = []
        for path in sorted(self.records.glob("*.rec")):
            contents = record.parse(path.read_bytes())
            assert contents.torn == 0
            assert contents.run == RUN.decode()
            assert all(0 < line.start_ns <= line.end_ns and line.wall_ns for line in contents.lines)
            assert None not in [usage for line in contents.lines for usage in (line.cpu_us, line.peak_kib)]
            lines += contents.lines
        return tuple((line.make, line.target, line.goal, line.level, line.status, line.fate) for line in lines)

    def take_entries(self) -> tuple[tuple[str, str, str, int, int, int], ...]:
        """The entries; they are removed."""
        entries = self.entries()
        for path in self.records.glob("*"):
            path.unlink()
        return entries


@contextmanager
def _all_ended() -> Iterator[int]:
    """A descriptor to pass on; at the end waits until no other process holds it."""
    reading, writing = os.pipe()
    try:
        yield writing
    finally:
        os.close(writing)
        ended, _, _ = select.select([reading], [], [], 100)
        os.close(reading)
    assert ended, "a process that the line left behind does not end"


@contextmanager
def as_make(folder: Path) -> Iterator[Make]:
    """This process as a make. It ignores no signals meanwhile, unlike an interpreter: the Python shim looks there."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGPIPE, signal.SIGXFSZ)}
    try:
        yield Make(folder)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
