"""A project and a home for one attack, and the figures that come out of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci.build_launcher import ROOT
from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import ensure_id
from make_metrics.files.paths import Paths
from make_metrics.project.project import project_of
from make_metrics.setup import fragment, launcher_copy

COMPILED, PYTHON = "compiled", "python"
OFF = {"MAKE_METRICS": "off"}


@dataclass(slots=True)
class Figure:
    """What one attack has shown: how much was tried, and how often something went wrong.

    `lost` are recipe lines or events that should be there and are not, `doubled` those that are there twice, `leaked`
    texts or requests that left, `differing` builds with another output or status than plain make's, and `failed`
    commands that ended in no known way. `notes` are for people.
    """

    name: str
    tried: str
    lost: int = 0
    doubled: int = 0
    leaked: int = 0
    differing: int = 0
    failed: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def wrong(self) -> int:
        """The sum of what went wrong."""
        return self.lost + self.doubled + self.leaked + self.differing + self.failed


class Place:
    """A folder with a project whose Makefile includes the fragment, and a home of its own."""

    def __init__(self, folder: Path, shim: str, *, home: Path | None = None) -> None:
        """Creates both; `shim` is COMPILED or PYTHON."""
        self.folder, self.home, self.project = folder, home or folder / "home", folder / "project"
        self.paths = Paths.from_environment({"MAKE_METRICS_HOME": str(self.home)})
        for path in (self.paths.data, self.project):
            path.mkdir(parents=True, exist_ok=True)
        launcher_copy.write(self.paths, fragment.launcher())
        self.paths.fragment.write_text(fragment.render(self.paths, compiled=shim == COMPILED))

    def write(self, makefile: str, *, settings: str = "") -> None:
        """Write the Makefile, with the include line, and the settings if there are any."""
        (self.project / "Makefile").write_text(f"{makefile}-include {self.paths.fragment}\n")
        if settings:
            (self.project / "make-metrics.toml").write_text(settings)

    def agree(self) -> None:
        """Say yes to the project."""
        project = project_of(self.project)
        with consent.lock(self.paths):
            ensure_id(self.paths, project)
            consent.write_decision(self.paths, project, yes=True, now_ns=time.time_ns())

    def environment(self, **more: str) -> dict[str, str]:
        """The variables of its makes and commands; nothing of the user's own home is in them."""
        ours = {"MAKE_METRICS_HOME": str(self.home), "MAKE_METRICS_SENDER": "none", "PYTHONPATH": str(ROOT / "shim")}
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", **ours, **more}

    def make(
        self, *words: str, limits: Callable[[], None] | None = None, environ: Mapping[str, str] | None = None
    ) -> tuple[int, bytes, bytes]:
        """Run make to its end; its status, output and errors."""
        done = subprocess.run(
            ["make", *words],
            cwd=self.project,
            env=self.environment(**(environ or {})),
            capture_output=True,
            check=False,
            preexec_fn=limits,
        )
        return done.returncode, done.stdout, done.stderr

    def start(self, *words: str, **more: str) -> subprocess.Popen[bytes]:
        """Start a command."""
        return subprocess.Popen(
            [sys.executable, "-m", "make_metrics", *words],
            cwd=self.project,
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def command(self, *words: str) -> str:
        """Run a command to its end; its output. Raises RuntimeError if it ends with anything but 0 or 1."""
        process = self.start(*words)
        output, errors = process.communicate()
        if process.returncode not in (0, 1):
            raise RuntimeError(f"make-metrics {' '.join(words)} ended with {process.returncode}: {errors.decode()}")
        return output.decode()

    def events(self) -> list[dict[str, Any]]:
        """All events that were recorded."""
        return [json.loads(line) for line in self.command("events").splitlines()]


def shims() -> Sequence[str]:
    """The shims that are here."""
    return (COMPILED, PYTHON) if fragment.launcher() else (PYTHON,)
