"""Runs every command on a damaged sample, and says what should not be."""

from __future__ import annotations

import contextlib
import importlib
import os
import random
import resource
import signal
import socket
import sqlite3
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from ci.fuzz.inputs import Input
from ci.fuzz.sample import RUNS, TARGETS, WAITING, Sample
from make_metrics import cli
from make_metrics.hot import record_format

READING = ("status", "status --json", "doctor", "report", "runs", "events", "last", "preview", "sent", "what-if")
CHANGING = ("flush --timeout 3", "opt-out", "off", "forget --yes")
# Whatever is broken, these work. The others may name what is, and end with 1.
ALWAYS_WORK = ("status", "status --json", "opt-out", "off", "forget --yes")
_LINKS = ("link to itself", "link away")  # perhaps to a disk that is not there: said, and left alone
SLOW_S = 60  # for a command that takes a fraction of a second alone on a machine
_MEMORY = 2 * 1024**3
_READING, _CHANGING = 4, 2  # so many commands of each kind meet an input, others the next


def load() -> None:
    """Import every command's module, so that each fork has it."""
    for command in cli.COMMANDS:
        importlib.import_module(f"make_metrics.commands.{command.name.replace('-', '_')}")


class Examiner:
    """Puts inputs into a sample, and examines what commands and make do with each."""

    def __init__(self, sample: Sample) -> None:
        """Raises RuntimeError if the undamaged sample does not have what it should."""
        self.sample = sample
        self.commands = 0
        self.makes = 0
        self.plain = sample.run_make(MAKE_METRICS="off").stdout
        load()
        self.lines = self._lines_without_damage()

    def _lines_without_damage(self) -> int:
        self.sample.restore()
        self._command("runs")
        if (lines := self._lines()) != TARGETS * RUNS:
            raise RuntimeError(f"the sample has {lines} recipe lines without any damage")
        return lines

    def examine(self, given: Input) -> list[str]:
        """What should not be, a line each; nothing if all is well."""
        chance = random.Random(given.seed)  # noqa: S311
        problems: list[str] = []
        self.sample.restore()
        given.put(self.sample.folder)
        if given.seed % 4 < 2:
            problems += self._make(given)
            self.sample.restore()
            given.put(self.sample.folder)
        reading, changing = list(READING), list(CHANGING)
        chance.shuffle(reading)
        chance.shuffle(changing)
        if chance.random() < 0.7:  # else what changes something is the first to meet the damage
            readable = self._rows()
            for command in reading[:_READING]:
                problems += self._checked(command, given)
            problems += self._checked("runs", given)
            problems += self._lost(given, readable)
        for command in changing[:_CHANGING]:
            problems += self._checked(command, given)
        return problems

    def _make(self, given: Input) -> list[str]:
        """A make on the damaged sample, whose own files are overwritten with the input while it runs."""
        self.makes += 1
        spoil = self.sample.folder / "spoil"
        spoil.write_bytes(given.content)
        state = self.sample.paths.state
        done = self.sample.run_make(SPOIL=str(spoil), SPOIL_TO=f"{state}/makes/* {state}/records/*.rec")
        if (done.returncode, done.stdout, done.stderr) != (0, self.plain, b""):
            return [f"make ended with {done.returncode} and printed {done.stdout + done.stderr!r}"]
        return []

    def _checked(self, command: str, given: Input) -> list[str]:
        self.commands += 1
        begun = time.monotonic()
        status, output, errors = self._command(command)
        problems = []
        if status not in (0, 1):
            problems.append(f"{command}: ended with {status}")
        elif status and command in ALWAYS_WORK and given.kind not in _LINKS:
            problems.append(f"{command}: does not work")
        if status == 1 and not (errors + output).strip() and command != "doctor":
            problems.append(f"{command}: ended with 1 and does not say why")
        if "Traceback" in errors + output or "this is a bug" in errors:
            problems.append(f"{command}: a traceback")
        if "\x1b" in errors + output:
            problems.append(f"{command}: an escape sequence goes to the terminal")
        if time.monotonic() - begun > SLOW_S:
            problems.append(f"{command}: took {time.monotonic() - begun:.0f} s")
        if not problems and not status and command == "off" and not self.sample.paths.off_file.exists():
            problems.append("off: recording is not off")
        return [f"{problem}: {errors[-1500:]}" if errors else problem for problem in problems]

    def _command(self, command: str) -> tuple[int, str, str]:
        """Run a command in a fork; its status, negative if a signal ended it, and what it printed."""
        out, err = (self.sample.folder / name for name in ("stdout", "stderr"))
        child = os.fork()
        if not child:
            status = 99
            try:
                self._become(command, out, err)
                status = cli.main(command.split())
            except SystemExit as error:
                status = int(error.code or 0)
            except BaseException:
                traceback.print_exc(file=_open(2))
            finally:
                with contextlib.suppress(Exception):
                    sys.stdout.flush()
                    sys.stderr.flush()
                os._exit(status)
        _, status = os.waitpid(child, 0)
        output, errors = (path.read_text("utf-8", "backslashreplace") for path in (out, err))
        return os.waitstatus_to_exitcode(status), output, errors

    def _become(self, command: str, out: Path, err: Path) -> None:
        """This fork as a process that runs a command: its folder, variables, output and limits."""
        for descriptor, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
        signal.alarm(SLOW_S * 2)
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
        os.chdir(self.sample.project)
        environment = self.sample.environment()
        os.environ.clear()
        os.environ.update(environment)
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        sys.argv = ["make-metrics", *command.split()]
        sys.stdout, sys.stderr = _open(1), _open(2)
        real = socket.getaddrinfo

        def only_here(host: Any, *words: Any, **more: Any) -> Any:
            """A damaged address must lead nowhere."""
            if host not in ("127.0.0.1", "localhost", "::1", b"127.0.0.1"):
                raise socket.gaierror(socket.EAI_NONAME, "this machine only")
            return real(host, *words, **more)

        socket.getaddrinfo = only_here

    def _lines(self) -> int:
        """How many recipe lines the store has."""
        with contextlib.closing(sqlite3.connect(self.sample.paths.store)) as connection:
            (count,) = connection.execute("SELECT coalesce(sum(lines), 0) FROM targets").fetchone()
        return int(count)

    def _rows(self) -> int:
        """How many targets SQLite itself can read of the store."""
        count = 0
        with (
            contextlib.suppress(sqlite3.Error, UnicodeError),
            contextlib.closing(sqlite3.connect(f"file:{self.sample.paths.store}?mode=ro", uri=True)) as connection,
        ):
            for _ in connection.execute("SELECT * FROM targets NOT INDEXED"):
                count += 1
        return count

    def _lost(self, given: Input, readable: int) -> list[str]:
        """Recipe lines that stand whole in what was there, and that the store has not."""
        if given.kind and len(list(self.sample.paths.records.glob("*.rec"))) == WAITING:
            return []  # nothing could be combined, so nothing was
        if given.name.name.startswith(self.sample.paths.store.name):
            # A damaged row may be impossible, and a damaged run takes its own targets with it.
            count = self._rows()
            wanted = max(readable - len(given.how.split(",")) * TARGETS, 0) + TARGETS * WAITING
            return [f"{wanted} targets could be read, {count} are left"] if count < wanted else []
        wanted = self.lines - self._damaged(given)
        try:
            count = self._lines()
        except sqlite3.Error as error:
            return [f"the store cannot be read: {error}"]
        return [f"{wanted - count} of {wanted} recipe lines are lost"] if count < wanted else []

    def _damaged(self, given: Input) -> int:
        """How many recipe lines of a record an input has not left whole."""
        if given.name.suffix != ".rec":
            return 0
        before = Counter(_entries((self.sample.kept / given.name).read_bytes()))
        return sum((before - Counter(_entries(given.content))).values())


def _entries(content: bytes) -> list[bytes]:
    return [line for line in content.split(b"\n") if line.startswith(b"L ") and line.endswith(record_format.END)]


def _open(descriptor: int) -> Any:
    return open(descriptor, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
