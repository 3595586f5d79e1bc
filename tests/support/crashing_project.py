"""A project that reports its crashes, and failures of ours in it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from make_metrics import cli
from make_metrics.project.settings import NAME
from tests.support.broken_copy import logged_failures
from tests.support.project import Project, makes
from tests.support.sharing_project import TEXT

# Words that are planted wherever a report could take one up, and must not leave the machine.
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
    """A project with a DSN, in a home and a folder whose names are secrets; commands run in this process."""

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
        for name in ("CI", "TF_BUILD", "JENKINS_URL", "TEAMCITY_VERSION"):
            patch.delenv(name, raising=False)

    def settings(self, dsn: str | None, more: str = "") -> None:
        line = f'crash-reports-dsn = "{dsn}"\n' if dsn else ""
        (self.project.folder / NAME).write_text(f"{TEXT}{line}{more}")

    def cli(self, *words: str, status: int = 0, environ: Mapping[str, str] | None = None) -> str:
        """Run a command; standard output. `said` is what was on standard error."""
        with self.patch.context() as patch:
            for name, value in (environ or {}).items():
                patch.setenv(name, value)
            found = cli.main([*words, "--timeout", "100"] if words == ("flush",) else words)
        out, self.said = self.capsys.readouterr()
        assert found == status, out + self.said
        return out

    def fail(self, environ: Mapping[str, str] | None = None) -> None:
        """Let a command of ours fail as by a bug."""
        with self.patch.context() as patch:
            patch.setattr("make_metrics.commands.runs.run", None)
            self.cli("runs", status=3, environ=environ)

    @property
    def fates(self) -> list[str]:
        """What became of each failure in the log."""
        return [entry.outcome for entry in logged_failures(self.project)]

    def status(self) -> dict[str, str]:
        lines = [line.partition(": ") for line in self.cli("crash-reports", "status").splitlines()]
        return {name: value for name, _, value in lines}
