"""Two real versions over one home: a newer store, and an older shim that still runs from its own environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support.project import ROOT, SOURCE, makes, started, until

# The last revision before the store's compact form: its commands cannot read the store of today.
REVISION = "43190e02c7c14797515a1b66fb58e913c8ea1c89"
LONG = """\
all: a1 a2 nested a3
a1:
\t@echo a1; touch begun; while [ ! -e go-on ]; do sleep 0.05; done
a2 a3:
\t@echo $@; exit 0
nested:
\t@$(MAKE) --no-print-directory -f inner.mk inner
"""


class Version:
    """A version's package, and the fragment that its own set-up wrote."""

    def __init__(self, folder: Path, source: Path, home: Path) -> None:
        self.folder, self.source, self.home = folder, source, home
        folder.mkdir()
        done = self.cli("setup")
        assert done.returncode == 0, done.stderr
        self.fragment = folder / "metrics.mk"
        self.fragment.write_text((home / "data/metrics.mk").read_text())
        assert str(source) in self.fragment.read_text()
        self.project = folder / "project"
        self.project.mkdir()

    def environment(self) -> dict[str, str]:
        ours = {"MAKE_METRICS_HOME": str(self.home), "MAKE_METRICS_SENDER": "none", "PYTHONPATH": str(self.source)}
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": "C.UTF-8", **ours}

    def cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "make_metrics", *words], cwd=self.folder, env=self.environment(),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def start(self, make: str, makefile: str, *goals: str) -> subprocess.Popen[str]:
        (self.project / "Makefile").write_text(f"{makefile}include {self.fragment}\n")
        return subprocess.Popen(
            [make, *goals], cwd=self.project, env=self.environment(), text=True, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )  # fmt: skip

    def make(self, make: str, *names: str) -> None:
        """Build targets of these names."""
        _, errors = self.start(make, f"{' '.join(names)}:\n\t@echo $@; true\n", *names).communicate(timeout=100)
        assert errors == ""


@pytest.fixture(scope="module")
def old_source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the earlier revision, with its launcher if that can be built."""
    archive = subprocess.run(
        ["git", "archive", REVISION, "shim", "make_include", "ci"], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode:
        pytest.skip(f"this checkout has no history: no revision {REVISION[:10]}")
    folder = tmp_path_factory.mktemp("old")
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    subprocess.run([sys.executable, folder / "ci/build_launcher.py"], capture_output=True, check=False)
    return folder / "shim"


@pytest.mark.parametrize("make", makes().values(), ids=makes().keys())
def test_an_older_shim_and_a_newer_store_lose_nothing_and_double_nothing(
    tmp_path: Path, home: Path, old_source: Path, make: str
) -> None:
    old = Version(tmp_path / "older", old_source, home)
    wanted = ["o1", "o2"]
    old.make(make, *wanted)
    assert old.cli("runs").returncode == 0  # the store of the older version holds them
    old.make(make, "o3")
    wanted.append("o3")
    (old.project / "inner.mk").write_text(f"inner:\n\t@echo inner\ninclude {home}/data/metrics.mk\n")
    with started(old.start(make, LONG)) as running:
        until(lambda: (old.project / "begun").exists())
        new = Version(tmp_path / "newer", SOURCE, home)  # the upgrade, in the middle of a make
        assert new.cli("runs").returncode == 0
        new.make(make, "n1", "n2")
        refused = old.cli("runs")
        assert (refused.returncode, "newer" in refused.stderr) == (1, True), refused.stderr
        assert "Traceback" not in refused.stderr
        (old.project / "go-on").touch()
        out, errors = running.communicate(timeout=100)
        assert (running.returncode, out, errors) == (0, "a1\na2\ninner\na3\n", "")
    wanted += ["all", "a1", "a2", "a3", "nested", "inner", "n1", "n2"]
    for number in range(4):  # by turns, with commands of both in between
        for version, letter in ((old, "p"), (new, "q")):
            version.make(make, f"{letter}{number}")
            wanted.append(f"{letter}{number}")
            old.cli("runs")
            if number % 2:
                new.cli("runs")
    events = new.cli("events")
    assert (events.returncode, events.stderr) == (0, "")
    recorded = Counter(json.loads(line)["properties"]["command"] for line in events.stdout.splitlines())
    assert recorded == Counter(wanted)
    assert list((home / "state/records").glob("*.rec")) == []
    assert not (home / "state/set-aside").exists()
