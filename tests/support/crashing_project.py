"""A project that reports crashes, and failures of make-metrics in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from make_metrics import cli
from make_metrics.environment import SERVICES_BY_VARIABLE
from make_metrics.project.settings import NAME
from tests.support.broken_copy import logged_failures
from tests.support.project import Project, answering, makes
from tests.support.sharing_project import TEXT

# Planted words that must not leave the machine; a report could hold each of them.
SECRETS = {
    "argv": "s3cret-argument",
    "environment": "s3cret-environment",
    "target": "s3cret-target",
    "home": "s3cret-home",
    "project": "s3cret-project",
    "local": "s3cret-local",
    "system": "s3cret-file-name",
}


class Crashing:
    """A project with a DSN; the names of its folder and its home are secrets. Commands run in this process."""

    def __init__(self, folder: Path, dsn: str, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        home = folder / SECRETS["home"]
        home.mkdir()
        self.folder, self.dsn, self.patch, self.capsys = folder, dsn, patch, capsys
        self.project = Project(folder / SECRETS["project"], home, next(iter(makes().values())), compiled=False)
        self.paths = self.project.paths
        self.settings(dsn)
        self.paths.user_settings.parent.mkdir(mode=0o700, parents=True)
        self.paths.user_settings.write_text("timeout = 60\n")  # on a slow machine
        patch.chdir(self.project.folder)
        for name in ("HOME", "MAKE_METRICS_HOME"):
            patch.setenv(name, str(home))
        for name in ("CI", *SERVICES_BY_VARIABLE):
            patch.delenv(name, raising=False)

    def settings(self, dsn: str | None, more: str = "") -> None:
        line = f'crash-reports-dsn = "{dsn}"\n' if dsn else ""
        (self.project.folder / NAME).write_text(f"{TEXT}{line}{more}")

    def cli(self, *words: str, status: int = 0, environ: Mapping[str, str] | None = None) -> str:
        """Run a command; its standard output. `errors` is then its standard error."""
        with self.patch.context() as patch:
            for name, value in {**answering(words), **(environ or {})}.items():
                patch.setenv(name, value)
            returned = cli.main([*words, "--timeout", "100"] if words == ("flush",) else words)
        out, self.errors = self.capsys.readouterr()
        assert returned == status, out + self.errors
        return out

    def fail(self, environ: Mapping[str, str] | None = None) -> None:
        """Run a command that fails as by a bug."""
        with self.patch.context() as patch:
            patch.setattr("make_metrics.commands.runs.run", None)
            self.cli("runs", status=3, environ=environ)

    @property
    def outcomes(self) -> list[str]:
        """The outcome of the report of each failure in the log."""
        return [entry.outcome for entry in logged_failures(self.project)]

    def status(self) -> dict[str, str]:
        lines = [line.partition(": ") for line in self.cli("crash-reports", "status").splitlines()]
        return {name: value for name, _, value in lines}
