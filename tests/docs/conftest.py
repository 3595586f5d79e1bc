"""Newcomers: the built wheel, an empty home, this user and another one, with and without a compiler."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.installed import NOBODY, Newcomer, install_wheel, readable_folder

_CLOSED = "this checkout or its Python is in a home that is closed to other users"
_numbers = count()


class Installed(NamedTuple):
    """A folder that all users can enter, the `bin` of an environment below it that the wheel is in, and who uses it."""

    folder: Path
    bin_folder: Path
    user: int | None


# Two walks of each page in place of four cover root and somebody else, a compiler and none.
@pytest.fixture(scope="session", params=[True, False], ids=["compiler-ordinary", "no-compiler-self"])
def installed(request: pytest.FixtureRequest) -> Iterator[Installed]:
    """The built wheel: with a compiler for an ordinary user, without one for the user who runs the tests."""
    pytest.importorskip("hatchling")
    with readable_folder() as folder:
        bin_folder = install_wheel(folder, compiler=request.param)
        user = NOBODY if request.param and os.geteuid() == 0 else None
        yield Installed(folder, bin_folder, user)


@pytest.fixture
def newcomer(installed: Installed) -> Newcomer:
    """Somebody new, with an empty home."""
    folder = installed.folder / f"newcomer-{next(_numbers)}"
    newcomer = Newcomer(folder, installed.bin_folder, user=installed.user)
    if not newcomer.can_run("make-metrics", "--version"):
        pytest.skip(_CLOSED)
    return newcomer
