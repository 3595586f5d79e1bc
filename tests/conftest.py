"""Fixtures: a home of one's own for every test, and a project for each make there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project import Project, makes


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A make-metrics home below the test's own folder; no test sees the real one."""
    found = tmp_path / "home"
    found.mkdir()
    monkeypatch.setenv("MAKE_METRICS_HOME", str(found))
    monkeypatch.setenv("HOME", str(found))
    for name in ("MAKE_METRICS", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "DO_NOT_TRACK"):
        monkeypatch.delenv(name, raising=False)
    return found


@pytest.fixture(params=makes().items(), ids=lambda made: f"make-{made[0]}")
def any_make(request: pytest.FixtureRequest) -> str:
    """Each GNU make that is to be had, in turn."""
    _, path = request.param
    return str(path)


@pytest.fixture
def each(tmp_path: Path, home: Path, any_make: str) -> Project:
    """A project for each make there is."""
    return Project(tmp_path / "project", home, any_make)


@pytest.fixture
def project(tmp_path: Path, home: Path) -> Project:
    """A project for the first make there is."""
    return Project(tmp_path / "project", home, next(iter(makes().values())))
