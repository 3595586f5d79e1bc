from __future__ import annotations

from contextlib import closing
from pathlib import Path

from make_metrics.store import database
from make_metrics.store.bounds import DAY_NS
from make_metrics.sweep import clock
from make_metrics.sweep.clock import Clock

NOW_NS = 20_000 * DAY_NS


def run_through(days: list[float]) -> list[float]:
    """The trusted time, in days, as the clock shows these days one after another."""
    shown = Clock(NOW_NS, NOW_NS)
    trusted = []
    for day in days:
        shown = shown.advanced(NOW_NS + int(day * DAY_NS))
        trusted.append((shown.trusted_ns - NOW_NS) / DAY_NS)
    return trusted


def test_a_clock_that_goes_on_is_trusted() -> None:
    assert run_through([0, 1, 1.5, 4, 7]) == [0, 1, 1.5, 4, 7]


def test_a_jump_is_not_trusted_and_forgotten_when_it_is_set_back() -> None:
    assert run_through([90, 90.1, 95, 0.5, 1]) == [0, 0, 0, 0.5, 1]


def test_a_machine_that_was_off_is_trusted_after_two_weeks() -> None:
    assert run_through([40, 43, 47, 53.9, 54, 55]) == [0, 0, 0, 0, 54, 55]


def test_who_makes_once_a_week_is_at_most_three_weeks_behind() -> None:
    weeks = [7 * week for week in range(1, 30)]
    assert all(day - trusted <= 21 for day, trusted in zip(weeks, run_through([*weeks]), strict=True))


def test_a_clock_that_is_set_back_below_what_is_trusted_takes_the_trust_back() -> None:
    assert run_through([1, 2, -50, -49]) == [1, 2, -50, -49]


def test_a_second_jump_after_the_first_is_set_back_in_part_is_one_as_well() -> None:
    assert run_through([90, 60, 61, 0.1]) == [0, 0, 0, 0.1]


def test_the_store_remembers_its_clock(tmp_path: Path) -> None:
    with closing(database.connect(tmp_path / "store")) as connection:
        assert clock.read(connection) is None
        assert clock.advance(connection, NOW_NS) == Clock(NOW_NS, NOW_NS)
        later_ns = NOW_NS + 90 * DAY_NS
        assert clock.advance(connection, later_ns) == Clock(later_ns, NOW_NS, later_ns)
        assert clock.read(connection) == Clock(later_ns, NOW_NS, later_ns)
        connection.execute("UPDATE clock SET trusted_ns = 'x'")
        assert clock.advance(connection, later_ns) == Clock(later_ns, later_ns)
