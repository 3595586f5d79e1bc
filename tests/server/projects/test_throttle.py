"""The limit for tries that fail."""

from __future__ import annotations

from make_metrics.server.projects.throttle import Throttle


def test_a_burst_passes_and_then_so_many_a_second() -> None:
    now = [0.0]
    throttle = Throttle(burst=3, per_s=0.5, clock=lambda: now[0])
    for _ in range(3):
        assert throttle.wait_s() == 0
        throttle.failed()
    assert throttle.wait_s() == 2
    now[0] = 2.0
    assert throttle.wait_s() == 0
    throttle.failed()
    assert throttle.wait_s() == 2


def test_ten_thousand_wrong_tries_are_let_through_a_few_at_a_time() -> None:
    now = [0.0]
    throttle = Throttle(burst=10, per_s=1, clock=lambda: now[0])
    passed = 0
    for _ in range(10_000):
        now[0] += 0.01
        if not throttle.wait_s():
            passed += 1
            throttle.failed()
    assert 100 <= passed <= 111
