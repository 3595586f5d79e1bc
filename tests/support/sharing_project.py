"""A project whose settings name a receiver on loopback, and what its developer decides."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pexpect

from make_metrics.project import settings
from tests.support.project import SOURCE, Project, answering, until
from tests.support.segment_receiver import Receiver

TEXT = """
name = "Example"
collected-by = "The example team"
purpose = "to make builds faster"
"""


class Sharing:
    """A project with settings, made by `make` itself, and driven through the command line."""

    def __init__(self, project: Project, receiver: Receiver, *, python: str | None = None) -> None:
        self.project, self.receiver, self.python = project, receiver, python
        self.paths = project.paths
        project.write("all: a\n\t@echo all\na:\n\t@echo a\nb:\n\t@echo b\nc:\n\t@echo c\n")
        self.settings()

    def settings(self, more: str = "", hosts: Iterable[str] = ()) -> Path:
        path = self.project.folder / settings.NAME
        sinks = "".join(
            f'[[sinks]]\ntype = "segment"\nwrite-key = "key"\nhost = "{host}"\n'
            for host in (list(hosts) or [self.receiver.host])
        )
        path.write_text(TEXT + more + "\n" + sinks)
        return path

    def cli(self, *words: str, status: int = 0, environ: Mapping[str, str] | None = None) -> str:
        """Run a command to its end; standard output. Fails unless its exit status is as expected."""
        env = {**self.project.environment(), "PYTHONPATH": str(SOURCE), **answering(words), **(environ or {})}
        done = self.project.run([self.python or sys.executable, "-m", "make_metrics", *words], env=env)
        assert done.returncode == status, done.stdout + done.stderr
        self.errors = done.stderr
        return done.stdout

    def make(self, *goals: str, **environ: str) -> None:
        """Run make, and wait until the walk has described it: until then its record is not complete."""
        done = self.project.make(*goals, env=self.project.environment(**environ))
        assert (done.returncode, done.stderr) == (0, "")
        until(lambda: all(b"\nM " in path.read_bytes() for path in self.project.records()))

    def status(self, **environ: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.cli("status", "--json", environ=environ))
        return found

    def mode(self, **environ: str) -> tuple[str, str]:
        found = self.status(**environ)
        return found["mode"], found["rule"]

    def asked(self, **environ: str) -> pexpect.spawn[str]:
        """`opt-in` in a terminal, after its question."""
        env = {**self.project.environment(), "PYTHONPATH": str(SOURCE), **environ}
        terminal = pexpect.spawn(
            sys.executable,
            ["-m", "make_metrics", "opt-in"],
            cwd=str(self.project.folder),
            env=env,
            encoding="utf-8",
            timeout=60,
        )
        terminal.expect_exact("May it be sent? [y/N/d] ")
        return terminal

    def answer(self, text: str) -> tuple[str, int | None]:
        """Answer the question of `opt-in`; what it says then, and its exit status."""
        terminal = self.asked()
        terminal.sendline(text)
        return ended(terminal)

    def files(self) -> dict[str, bytes]:
        """Everything on disk, below the home and the project."""
        return {
            str(path): path.read_bytes() if path.is_file() else b""
            for folder in (self.project.home, self.project.folder)
            for path in sorted(folder.rglob("*"))
        }


def ended(terminal: pexpect.spawn[str]) -> tuple[str, int | None]:
    """What a program in a terminal said to its end, and its exit status."""
    terminal.expect(pexpect.EOF)
    said = str(terminal.before)
    terminal.close()
    return said, terminal.exitstatus
