"""What a running shim shows of the words that it was handed."""

from __future__ import annotations

import os
import subprocess

import psutil
import pytest

from make_metrics.hot import arguments
from make_metrics.processes import tree
from tests.support.project import Project, started


@pytest.mark.asks_system
def test_the_target_is_read_from_the_shims_own_words(project: Project) -> None:
    project.write("z%>w:\n\t@echo $$$$; read line\n")
    with started(project.start("z1>w", stdin=subprocess.PIPE)) as make:
        assert make.stdout is not None
        shell = psutil.Process(int(make.stdout.readline()))
        shim = shell.parent()
        assert shim is not None
        assert tree.target_of(shim) == "z1>w"
        assert tree.target_of(shell) == ""
        if b"launcher := /" in project.paths.fragment.read_bytes():
            assert shim.cmdline()[0] == f"make-metrics: line of make {make.pid}"
            assert shim.name() == "make-metrics"
            assert not any("z1" in word or str(project.folder) in word for word in shim.cmdline())
        else:
            assert arguments.PROTOCOL in map(os.fsencode, shim.cmdline())


@pytest.mark.parametrize("target", ["a" * 240, "a" * 800, "é" * 60])
def test_a_long_target_is_read_too(project: Project, target: str) -> None:
    project.write(f"{target}:\n\t@echo $$$$; read line\n")
    with started(project.start(stdin=subprocess.PIPE)) as make:
        assert make.stdout is not None
        shim = psutil.Process(int(make.stdout.readline())).parent()
        assert shim is not None
        assert tree.target_of(shim) == target


def test_a_line_gets_no_file_that_shows_its_target(project: Project) -> None:
    project.write("all:\n\t@ls -l /proc/self/fd | grep -c make-metrics\n")
    assert project.make().stdout == "0\n"
