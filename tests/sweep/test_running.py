"""The makes that run now."""

from __future__ import annotations

from make_metrics.sweep.running import running_makes
from tests.support.project import Project, started, until


def test_a_make_is_found_while_it_runs(each: Project) -> None:
    each.write("all:\n\t@sleep 60\n")
    assert running_makes(each.paths) == []
    with started(each.start("-j3", "all")):
        until(lambda: running_makes(each.paths))
        (make,) = running_makes(each.paths)
        assert (make.goals, make.directory, make.jobs) == (("all",), str(each.folder), 3)
        (each.paths.records / "0123abcd.1.2.rec").mkdir()
        (each.paths.records / "0123abcd.1.3.rec").write_bytes(b"\0" * 100)
        assert running_makes(each.paths) == [make]
    until(lambda: not running_makes(each.paths))
