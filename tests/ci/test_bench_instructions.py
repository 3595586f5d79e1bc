"""The count of a line's instructions."""

from __future__ import annotations

import shutil

import pytest

from ci.bench import instructions
from ci.build_launcher import LAUNCHER
from tests.support.project import ROOT


@pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind")
@pytest.mark.skipif(not (ROOT / LAUNCHER).exists(), reason="the compiled fast path was not built")
def test_a_line_of_the_launcher_costs_nearly_the_same_each_time() -> None:
    counts = [instructions.of_launcher(ROOT, ()) for _ in range(2)]
    assert min(counts) > 10_000
    assert max(counts) - min(counts) < 1_000
