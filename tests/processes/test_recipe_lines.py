"""The lines that run below a make."""

from __future__ import annotations

from make_metrics.processes.keys import process_key
from make_metrics.processes.recipe_lines import running_lines
from tests.support.project import Project, started, until


def test_the_lines_of_a_make_and_of_those_below_it_are_seen(each: Project) -> None:
    each.write("all: 'q sub\n'q:\n\t@sleep 60; :\nsub:\n\t@$(MAKE) -f other.mk\n.PHONY: sub\n")
    each.write("deep+x:\n\t@sleep 60; :\n", "other.mk")
    with started(each.start("-j2")) as make:
        until(lambda: len(running_lines(make.pid)) == 3)
        lines = running_lines(make.pid)
        assert sorted(line.target for line in lines) == sorted(["'q", "deep+x", "sub"])
        own = process_key(make.pid)
        assert sum(1 for line in lines if line.make == own) == 2
        make.terminate()
        make.wait(60)
    assert running_lines(make.pid) == []
