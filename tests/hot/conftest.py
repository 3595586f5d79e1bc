"""Fixtures: the shims, and this process as a make."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ci.build_launcher import NotBuilt, as_macos, build, sanitized
from tests.support.shim_calls import PYTHON_SHIM, Make, as_make, compiled

Launchers = dict[str, Path]


@pytest.fixture(scope="session")
def launchers(tmp_path_factory: pytest.TempPathFactory) -> Launchers:
    folder = tmp_path_factory.mktemp("launcher")
    try:
        build(folder / "launcher")
        return {"compiled": folder / "launcher", "sanitized": sanitized(folder), "as-macos": as_macos(folder)}
    except NotBuilt as reason:
        pytest.skip(f"no compiled fast path here: {reason}")


@pytest.fixture(params=["python", "compiled", "sanitized"])
def shim(request: pytest.FixtureRequest, launchers: Launchers) -> Sequence[str]:
    return PYTHON_SHIM if request.param == "python" else compiled(launchers[request.param])


@pytest.fixture(params=["compiled", "sanitized"])
def launcher(request: pytest.FixtureRequest, launchers: Launchers) -> Path:
    return launchers[request.param]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with as_make(tmp_path) as process:
        yield process
