"""The summary of a run."""

from __future__ import annotations

from make_metrics.combine.record import Contents, Make
from make_metrics.combine.run import Run, events_of, gather
from make_metrics.combine.summary import summarise
from tests.support.records import line


def test_the_most_severe_status_of_the_goals_is_the_runs() -> None:
    def run_status(*statuses: int) -> int:
        lines = [line(f"t{start}", make="r", start=start, status=status) for start, status in enumerate(statuses)]
        make = Make(key="r", goals=tuple(each.target for each in lines), keep_going=True)
        run = gather("r", Contents(lines=lines, makes=[make]))
        return summarise(run, events_of(run), fallback_ns=0).exit_status

    assert run_status(0, 0) == 0
    assert run_status(0, 3, 1) == 3
    assert run_status(3, -2, 255) == -2


def test_a_run_with_nothing_but_torn_entries_has_a_summary() -> None:
    summary = summarise(Run("r", torn=2), [], fallback_ns=7)
    assert (summary.started_ns, summary.torn, summary.targets, summary.exit_status) == (7, 2, 0, 0)
