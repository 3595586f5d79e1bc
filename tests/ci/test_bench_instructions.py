"""The count of instructions: of a line, and of a make that only reads the fragment."""

from __future__ import annotations

import shutil

import pytest

from ci.bench import instructions, reading
from ci.build_launcher import LAUNCHER
from tests.support.project import ROOT


@pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind")
@pytest.mark.skipif(not (ROOT / LAUNCHER).exists(), reason="the compiled fast path was not built")
@pytest.mark.asks_system  # the other one waits for a walk on each line, and looks again and again
def test_a_line_of_the_launcher_costs_nearly_the_same_each_time() -> None:
    counts = [instructions.of_launcher(ROOT, ()) for _ in range(2)]
    assert min(counts) > 10_000
    assert max(counts) - min(counts) < 1_000


@pytest.mark.skipif(not shutil.which("valgrind"), reason="no valgrind")
def test_a_make_that_has_nothing_to_do_computes_more_with_the_fragment_and_counts_alike_each_time() -> None:
    plain, *ours = [reading.of("/usr/bin/make", reading.nothing_to_do, checkout) for checkout in (None, ROOT, ROOT)]
    assert 0 < plain < min(ours) < 4 * plain
    assert max(ours) - min(ours) < plain / 10
