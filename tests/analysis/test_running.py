"""How many jobs ran when."""

from __future__ import annotations

from make_metrics.analysis.build import MakeProcess
from make_metrics.analysis.running import running_jobs
from tests.support.builds import build_of, target


def test_who_waits_for_a_make_inside_lends_its_slot() -> None:
    makes = [MakeProcess(number=1, parent=0, parent_target="sub", level=1)]
    build = build_of(
        target("sub", 0, 100), target("x", 10, 90, make=1), target("y", 10, 50, make=1), target("b", 0, 20), makes=makes
    )
    running = running_jobs(build)
    assert list(zip(running.times_us, running.counts, strict=True)) == [
        (0, 2), (10_000, 3), (20_000, 2), (50_000, 1), (90_000, 1), (100_000, 0),
    ]  # fmt: skip
    assert (running.most, running.work_us) == (3, 160_000)
    assert (running.most_between(10_000, 20_000), running.most_between(20_000, 50_000)) == (3, 2)


def test_what_ends_is_gone_before_what_begins_then() -> None:
    running = running_jobs(build_of(target("a", 0, 10), target("b", 10, 20), target("c", 20, 20)))
    assert running.most == 1
    assert running.counts[-1] == 0


def test_nothing_runs_in_an_empty_run() -> None:
    assert running_jobs(build_of()).times_us == ()
    assert running_jobs(build_of()).most_between(0, 10) == 0


def test_one_make_alone_counts_its_own_targets() -> None:
    makes = [MakeProcess(number=1, parent=0, parent_target="sub", level=1)]
    build = build_of(target("sub", 0, 100), target("x", 10, 90, make=1), makes=makes)
    assert running_jobs(build, {1}).counts == (1, 0)
    assert running_jobs(build, {0}).counts == (1, 0)
