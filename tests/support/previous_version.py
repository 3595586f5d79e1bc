"""What the version before left on a machine, put into a home and a project of a test's own.

That version wrote the data (`tests/compatibility/data/before_make_metrics/write.sh`). Its paths and the machine's name
are replaced by those of the test, nothing else. Commands run an hour after it was written: data is kept for 90 days.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from make_metrics.files.paths import Paths
from make_metrics.project.root import project_key
from make_metrics.store.tables import TABLES
from tests.support.project import ROOT, SOURCE

DATA = ROOT / "tests/compatibility/data/before_make_metrics"
WRITTEN_NS = 1_795_685_950_000_000_000
# The processes whose records the data has; they ended long ago.
COMBINED = {"580911a5.32363.365631": ["all"], "580911a5.32369.365635": ["fails"]}
WAITING = "580911a5.32570.365973"

_HOUR_NS = 3_600_000_000_000
_COMMAND = (
    "import sys, time; moved = int(sys.argv.pop(1)) - time.time_ns(); time_ns, now = time.time_ns, time.time;"
    "time.time_ns = lambda: time_ns() + moved; time.time = lambda: now() + moved / 1e9;"
    "from make_metrics.cli import main; sys.exit(main())"
)


class PreviousVersion:
    """The files of the version before; its package is gone."""

    def __init__(self, folder: Path) -> None:
        self.home, self.project, self.other = folder / "home", folder / "example", folder / "other"
        self.package = folder / "old/lib/python3.11/site-packages/shim"
        self.paths = Paths(data=self.home / "data", config=self.home / "config", state=self.home / "state")
        shutil.copytree(DATA / "home", self.home, dirs_exist_ok=True)
        shutil.copytree(DATA / "example", self.project)
        shutil.copytree(DATA / "example", self.other)
        self._new = {
            "/srv/home": str(self.home),
            "/srv/example": str(self.project),
            "/srv/other": str(self.other),
            "/opt/make-metrics": str(folder / "old"),
            "boot=builder%20": f"boot={os.uname().nodename}%20",
        }
        for path in sorted(self.home.rglob("*")):
            path.chmod(0o700 if path.is_dir() else 0o600)
            if path.is_file() and path.suffix != ".sqlite3":
                path.write_text(self._replaced(path.read_text()))
                os.utime(path, ns=(WRITTEN_NS, WRITTEN_NS))
        for directory in (self.paths.decisions, self.paths.crash_decisions, self.paths.identities):
            for project, place in (("/srv/example", self.project), ("/srv/other", self.other)):
                for path in directory.glob(f"{project_key(project)}*"):
                    path.rename(directory / f"{project_key(place)}{path.suffix}")
        with sqlite3.connect(self.paths.store) as connection:
            for table, column in self._paths_in(connection):
                for old, new in self._new.items():
                    connection.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (old, new))  # noqa: S608
            for run, state in connection.execute("SELECT id, state FROM runs WHERE state IS NOT NULL").fetchall():
                text = self._replaced(zlib.decompress(state).decode())
                connection.execute("UPDATE runs SET state = ? WHERE id = ?", (zlib.compress(text.encode()), run))
        connection.close()

    def _replaced(self, text: str) -> str:
        for old, new in self._new.items():
            text = text.replace(old, new)
        return text

    def _paths_in(self, connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
        for table in sorted(TABLES):
            for _, name, *_ in connection.execute(f"PRAGMA table_info({table})").fetchall():
                if name in ("project", "directory", "url"):
                    yield table, name

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of the old installation's user."""
        home = str(self.home)
        ours = {"MAKE_METRICS_HOME": home, "MAKE_METRICS_SENDER": "none"}
        return {"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8", **ours, **more}

    def run(self, words: list[str], **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the project."""
        given: dict[str, Any] = {"capture_output": True, "text": True, "timeout": 100, "check": False}
        return subprocess.run(words, cwd=self.project, env=self.environment(**environ), **given)

    def cli(self, *words: str, status: int = 0, **environ: str) -> str:
        """Run make-metrics of this version, an hour after the data was written; its standard output."""
        start = [sys.executable, "-c", _COMMAND, str(WRITTEN_NS + _HOUR_NS)]
        done = self.run([*start, *words], PYTHONPATH=str(SOURCE), **environ)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout
