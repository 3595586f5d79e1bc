"""A project with a Makefile that includes the fragment, driven as its developer would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ci import find_makes
from make_metrics.combine import record
from make_metrics.combine.event import Event
from make_metrics.combine.run import Run, events_of, gather, merge
from make_metrics.files.paths import Paths
from make_metrics.setup import fragment, launcher_copy

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "shim"  # the package's parent


_OLD = ("3.81", "3.81-apple", "3.82", "4.0", "4.1", "4.2.1")


def makes() -> dict[str, str]:
    """The GNU makes to test with, by version: those of today, and any that PATH has."""
    return {name: str(path) for name, path in find_makes.find().items() if name not in _OLD or _is_in_path(path)}


def old_makes() -> dict[str, str]:
    """Makes older than 4.3 that `ci/makes` names and that are here, by version."""
    return {name: str(path) for name, path in find_makes.find().items() if name in _OLD}


def _is_in_path(path: Path) -> bool:
    return str(path.parent) in os.get_exec_path()


def answering(words: Iterable[str]) -> dict[str, str]:
    """The variables for a command of ours: without a terminal, which tests do not have, only a CI job may say yes."""
    return {"CI": "true"} if "--yes" in words else {}


def until(
    condition: Callable[[], object], *, seconds: float = 60.0, what: Callable[[], object] = lambda: "waited in vain"
) -> None:
    """Wait for a condition; fails when it does not come true within the limit, and says `what` there is instead."""
    give_up = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < give_up, what()
        time.sleep(0.01)


def markers(makes: Path) -> list[Path]:
    """The markers in a folder, without what lines leave there for their make."""
    return [path for path in makes.iterdir() if not path.name.startswith(("tried.", "known."))]


class Project:
    """A folder with a Makefile, the fragment set up for a home of its own, and a make."""

    def __init__(self, folder: Path, home: Path, make: str = "make", *, compiled: bool = True) -> None:
        self.folder, self.home, self.make_path = folder, home, make
        self.paths = Paths(data=home / "data", config=home / "config", state=home / "state")
        folder.mkdir(parents=True, exist_ok=True)
        self.paths.data.mkdir(parents=True, exist_ok=True)
        if compiled:
            launcher_copy.write(self.paths, fragment.launcher())
        self.paths.fragment.write_text(fragment.render(self.paths, compiled=compiled))
        self.line = f"-include {self.paths.fragment}"  # not by "~": tests have other homes too

    def write(self, text: str, name: str = "Makefile", *, line: str | None = None) -> Path:
        """A makefile that ends with the include line; tabs may be written as such or as four blanks."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        body = textwrap.dedent(text).replace("\n    ", "\n\t")
        path.write_text(f"{body.rstrip()}\n{self.line if line is None else line}\n")
        return path

    def edit_fragment(self, old: str, new: str) -> None:
        """Put another text in the place of one that the fragment has."""
        text = self.paths.fragment.read_text()
        assert old in text, f"the fragment does not say {old}: {fragment.read_values(text)}"
        self.paths.fragment.write_text(text.replace(old, new))

    def environment(self, **more: str) -> dict[str, str]:
        """A small environment; nothing of the real home is in it, and no make leaves a sender behind."""
        home = str(self.home)
        ours = {"MAKE_METRICS_HOME": home, "MAKE_METRICS_SENDER": "none"}
        return {"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8", **ours, **more}

    def make(self, *words: str, env: Mapping[str, str] | None = None, **more: Any) -> subprocess.CompletedProcess[str]:
        """Run make to its end."""
        return self.run([self.make_path, *words], env=env, **more)

    def run(
        self, words: list[str], env: Mapping[str, str] | None = None, **more: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the project's folder."""
        given: dict[str, Any] = {"capture_output": True, "text": True, "check": False, "timeout": 100, **more}
        given.setdefault("errors", "surrogateescape")
        return subprocess.run(words, cwd=self.folder, env=self.environment() if env is None else env, **given)

    def start(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        """Start make, in a process group of its own."""
        given: dict[str, Any] = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
        env = given.pop("env", None) or self.environment()
        return subprocess.Popen([self.make_path, *words], cwd=self.folder, env=env, start_new_session=True, **given)

    def cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run make-metrics."""
        env = {**self.environment(), "PYTHONPATH": str(SOURCE), **answering(words)}
        return self.run([sys.executable, "-m", "make_metrics", *words], env=env)

    def events(self) -> dict[str, dict[str, Any]]:
        """The properties of all events so far, by command; fails if a command has two."""
        done = self.cli("events")
        assert (done.returncode, done.stderr) == (0, "")
        found: dict[str, dict[str, Any]] = {}
        for line in done.stdout.splitlines():
            properties = json.loads(line)["properties"]
            assert properties["command"] not in found, done.stdout
            found[properties["command"]] = properties
        return found

    def records(self) -> list[Path]:
        """The records that wait to be combined."""
        return sorted(self.paths.records.glob("*.rec"))

    def recorded(self) -> list[Event]:
        """The events that the waiting records would give, without combining them."""
        runs: dict[str, Run] = {}
        for path in self.records():
            contents = record.parse(path.read_bytes())
            one = gather(contents.run, contents)
            runs[contents.run] = merge(runs[contents.run], one) if contents.run in runs else one
        return [event for run in runs.values() for event in events_of(run)]


@contextmanager
def started(process: subprocess.Popen[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that is gone at the end, whatever happens."""
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
