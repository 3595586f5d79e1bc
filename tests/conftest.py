"""Fixtures: a home of one's own for every test, and a project for each make there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from shim import fragment, precompiled
from tests.project import Project, makes


@pytest.fixture(autouse=True, scope="session")
def _precompiled() -> None:
    """Set-up's work on this checkout, for tests that write a fragment without it."""
    precompiled.write()


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


@pytest.fixture(params=["compiled", "python"])
def compiled(request: pytest.FixtureRequest) -> bool:
    """Both shims in turn: the compiled fast path in front of the Python shim, and the latter alone."""
    if request.param == "compiled" and fragment.launcher() is None:
        pytest.skip("the compiled fast path was not built")
    return bool(request.param == "compiled")


@pytest.fixture
def each(tmp_path: Path, home: Path, any_make: str, compiled: bool) -> Project:
    """A project for each make there is, with each shim."""
    return Project(tmp_path / "project", home, any_make, compiled=compiled)


@pytest.fixture
def project(tmp_path: Path, home: Path, compiled: bool) -> Project:
    """A project for the first make there is, with each shim."""
    return Project(tmp_path / "project", home, next(iter(makes().values())), compiled=compiled)
