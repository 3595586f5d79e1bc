"""The limit for tries that fail."""

from __future__ import annotations

from make_metrics.server.projects.throttle import Throttle


def test_a_burst_is_told_and_then_so_many_a_second() -> None:
    now = [0.0]
    throttle = Throttle(burst=3, per_s=0.5, clock=lambda: now[0])
    assert [throttle.failed() for _ in range(5)] == [0, 0, 0, 2, 2]
    now[0] = 1.0
    assert throttle.failed() == 1
    now[0] = 2.0
    assert [throttle.failed() for _ in range(2)] == [0, 2]


def test_ten_thousand_wrong_tries_are_told_a_few_at_a_time() -> None:
    now = [0.0]
    throttle = Throttle(burst=10, per_s=1, clock=lambda: now[0])
    told = 0
    for _ in range(10_000):
        now[0] += 0.01
        told += not throttle.failed()
    assert 100 <= told <= 111
