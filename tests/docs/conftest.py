"""Newcomers: the built wheel, an empty home, this user and another one, with and without a compiler."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.support.installed import NOBODY, Newcomer, install_wheel, readable_folder

_CLOSED = "this checkout or its Python is in a home that is closed to other users"
_numbers = count()


@pytest.fixture(scope="session", params=[True, False], ids=["compiler", "no-compiler"])
def installed(request: pytest.FixtureRequest) -> Iterator[tuple[Path, Path]]:
    """A folder that all users can enter, and the `bin` of an environment below it that the wheel is installed in."""
    pytest.importorskip("hatchling")
    with readable_folder() as folder:
        yield folder, install_wheel(folder, compiler=request.param)


@pytest.fixture(params=["self", "ordinary"] if os.geteuid() == 0 else ["self"])
def newcomer(request: pytest.FixtureRequest, installed: tuple[Path, Path], tmp_path: Path) -> Newcomer:
    """Somebody new: the user who runs the tests and, if that is root, an ordinary user."""
    folder, bin_folder = installed
    if request.param == "self":
        return Newcomer(tmp_path / "newcomer", bin_folder)
    newcomer = Newcomer(folder / f"ordinary-{next(_numbers)}", bin_folder, user=NOBODY)
    if not newcomer.can_run("make-metrics", "--version"):
        pytest.skip(_CLOSED)
    return newcomer
