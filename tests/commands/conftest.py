"""A recorded run for the commands that read."""

from __future__ import annotations

from pathlib import Path

import pytest

from make_metrics.combine.record import Make
from make_metrics.files.paths import Paths
from tests.support.records import WALL_NS, add, ended_run, line


@pytest.fixture
def paths(home: Path) -> Paths:
    return Paths.from_environment()


@pytest.fixture
def run(paths: Paths) -> str:
    """A run whose make has ended, with a nested one."""
    run, nested = ended_run(), ended_run()
    add(
        paths,
        run,
        Make(key=run, goals=("all",), directory="/p", version="4.3", wall_ns=WALL_NS),
        Make(key=nested, goals=("all",), directory="/p/lib", level=1, parent=run, parent_target="a"),
        line("a", make=run, end=2_000),
        line("b", make=run, start=2_001, end=2_012, status=3),
        line("\x1b[31mred\n", make=nested, level=1, start=10, end=20),
    )
    return run
