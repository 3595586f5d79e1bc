"""The benchmark of reading: that its store is one, that commands run on it, and that a page comes out."""

from __future__ import annotations

from pathlib import Path

from ci.bench import store as bench
from make_metrics.files.paths import Paths
from make_metrics.store.builds import build, newest
from make_metrics.store.questions.costs import costs
from make_metrics.store.questions.selection import Selection
from tests.support.store import ask


def test_the_store_is_as_a_sweep_writes_it(tmp_path: Path) -> None:
    with bench.filled(4_000) as (home, project, size):
        paths = Paths.from_environment({"MAKE_METRICS_HOME": str(home)})
        assert size == paths.store.stat().st_size
        of_project = ask(paths, lambda connection: costs(connection, Selection(within=str(project))))
        assert (len(of_project), {cost.runs for cost in of_project}) == (500, {4})
        assert sum(cost.runs for cost in ask(paths, lambda connection: costs(connection, Selection()))) == 4_000
        run_id = ask(paths, lambda connection: newest(connection))
        run = ask(paths, lambda connection: build(connection, run_id or ""))
        assert run is not None
        assert len(run.targets) == 500


def test_every_command_is_measured(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    assert bench.main(["--events", "4000", "--rounds", "1", "--out", str(page)]) == 0
    text = page.read_text()
    assert "Written by `python -m ci.bench.store --events 4000 --rounds 1`." in text
    assert [line for line in text.splitlines() if line.startswith("| `")] != []
    for question in bench.QUESTIONS:
        assert f"| `make-metrics {' '.join(question.words)}` | 0." in text or question.words[0] in text
