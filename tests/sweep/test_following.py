"""A record that is read while it is written."""

from __future__ import annotations

from pathlib import Path

from make_metrics.combine.record import Make
from make_metrics.files.paths import Paths
from make_metrics.hot import record_format
from make_metrics.sweep.following import Following
from tests.support.records import add, ended_run, line


def test_each_entry_is_read_once_and_when_it_is_whole(home: Path) -> None:
    paths, run = Paths.from_environment(), ended_run()
    add(paths, run, Make(key=run, directory="/p"), line("a", make=run))
    following = Following(paths, run)
    following.read()
    assert {target: work.lines for (_, target), work in following.run.work.items()} == {"a": 1}
    entry = record_format.line_entry(run.encode(), b"b", b"", 0, 1, 2, 3, 0, 0)
    path = paths.records / f"{run}.rec"
    for part in (entry[:9], entry[9:], b""):
        with path.open("ab") as file:
            file.write(part)
        following.read()
    assert {target: work.lines for (_, target), work in following.run.work.items()} == {"a": 1, "b": 1}
    path.unlink()
    following.read()
    assert len(following.run.work) == 2


def test_what_is_no_record_is_left_out(home: Path, tmp_path: Path) -> None:
    paths, run = Paths.from_environment(), ended_run()
    add(paths, run, line("a", make=run))
    (paths.records / f"{run}.rec").rename(tmp_path / "elsewhere.rec")
    (paths.records / f"{run}.rec").symlink_to(tmp_path / "elsewhere.rec")
    (paths.records / f"{run}~1.rec").mkdir()
    following = Following(paths, run)
    following.read()
    assert following.run.work == {}
