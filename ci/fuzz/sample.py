"""The home and project that inputs damage: made once by real makes and commands, restored for each input."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from ci.build_launcher import ROOT
from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import ensure_id
from make_metrics.crashes import log as crash_log
from make_metrics.crashes.question import CRASHES
from make_metrics.files.paths import Paths
from make_metrics.files.write import write_file
from make_metrics.project.project import project_of
from make_metrics.setup import fragment, launcher_copy

# The line `spoil` writes an input over the files of the make that runs it; without one it does nothing.
MAKEFILE = """\
all: a b
\t@echo all
a: spoil
\techo a
b:
\t@echo "b $$((1 + 1))"; exit 0
spoil:
\t@for file in $$SPOIL_TO; do cp "$$SPOIL" "$$file" 2>/dev/null; done; true
long-name/with,odd%characters:
\t@true
"""
SETTINGS = """\
name = "Example"
collected-by = "The example team"
purpose = "to make builds faster"
contact = "https://example.org/metrics"
metrics = ["os", "jobs"]
crash-reports-dsn = "http://key@127.0.0.1:9/1"

[[sinks]]
type = "file"

[[sinks]]
type = "segment"
write-key = "key"
host = "http://127.0.0.1:9"
"""
USER_SETTINGS = 'timeout = 2\nno-proxy = "localhost"\nhistory-mib = 64\n'
TARGETS = 4  # of the default goal, each with one recipe line
RUNS = 5
WAITING = 3  # runs that wait to be combined


class Sample:
    """A project's folder and a home that has every kind of file of ours."""

    def __init__(self, folder: Path, make: str = "make") -> None:
        """Create it below a folder that does not exist yet. Raises RuntimeError if its make fails."""
        self.folder, self.make = folder, make
        self.home, self.project = folder / "home", folder / "project"
        self.kept = folder / "kept"
        self.paths = Paths.from_environment({"MAKE_METRICS_HOME": str(self.home)})
        self._create()

    def environment(self, **more: str) -> dict[str, str]:
        """The variables of its commands and makes; nothing of the user's own home is in them."""
        ours = {"MAKE_METRICS_HOME": str(self.home), "MAKE_METRICS_SENDER": "none", "PYTHONPATH": str(ROOT / "shim")}
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", "COLUMNS": "80", **ours, **more}

    def run_make(self, **more: str) -> subprocess.CompletedProcess[bytes]:
        """Run the project's default goal."""
        env = self.environment(**more)
        return subprocess.run([self.make], cwd=self.project, env=env, capture_output=True, check=False, timeout=120)

    def restore(self) -> None:
        """Everything as it was before the first input."""
        for name in ("home", "project"):
            _remove(self.folder / name)
            shutil.copytree(self.kept / name, self.folder / name, symlinks=True)

    def files(self) -> list[Path]:
        """Every file of the sample that we read, relative to its folder.

        The fragment and the copy of the launcher are programs, which nothing of ours writes over (docs/platforms.md).
        """
        found = [path for path in sorted(self.kept.rglob("*")) if path.is_file() and not path.is_symlink()]
        names = [path.relative_to(self.kept) for path in found]
        names = [name for name in names if name.suffix != ".lock" and name.name not in ("metrics.mk", "Makefile")]
        return [name for name in names if not re.fullmatch(r"launcher\.[0-9a-f]+", name.name)]

    def _create(self) -> None:
        for folder in (self.paths.data, self.paths.config, self.project / ".git/refs/heads"):
            folder.mkdir(parents=True)
        launcher_copy.write(self.paths, fragment.launcher())
        self.paths.fragment.write_text(fragment.render(self.paths))
        (self.project / "Makefile").write_text(f"{MAKEFILE}-include {self.paths.fragment}\n")
        (self.project / "make-metrics.toml").write_text(SETTINGS)
        (self.project / ".git/HEAD").write_text("ref: refs/heads/main\n")
        (self.project / ".git/refs/heads/main").write_text(f"{'5' * 40}\n")
        write_file(self.paths.user_settings, USER_SETTINGS.encode())
        self._record()
        self._command("runs")
        project = project_of(self.project)
        with consent.lock(self.paths):
            ensure_id(self.paths, project)
            for question in (consent.EVENTS, CRASHES):
                consent.write_decision(self.paths, project, yes=True, now_ns=time.time_ns(), question=question)
        self._record()
        self._command("doctor")  # which looks at the makefiles
        self._command("flush")  # what the file sink took is sent, the other receiver is not there
        crash_log.note(ValueError("made up"), part="command", paths=self.paths, environ={})
        for _ in range(WAITING):
            self._record()
        for name in ("home", "project"):
            shutil.copytree(self.folder / name, self.kept / name, symlinks=True)

    def _record(self) -> None:
        done = self.run_make()
        if done.returncode:
            raise RuntimeError(f"the sample's make failed: {done.stderr.decode()}")

    def _command(self, *words: str) -> None:
        command = [sys.executable, "-m", "make_metrics", *words]
        subprocess.run(command, cwd=self.project, env=self.environment(), capture_output=True, check=False, timeout=120)


def _remove(folder: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
