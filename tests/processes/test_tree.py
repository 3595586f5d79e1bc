"""What a running shim shows of the words that it was handed."""

from __future__ import annotations

import os
import subprocess

import psutil

from make_metrics.hot import arguments
from make_metrics.processes import tree
from tests.support.project import Project, started


def test_the_target_is_read_from_the_shims_own_words(project: Project) -> None:
    project.write("z%>w:\n\t@echo $$$$; read line\n")
    with started(project.start("z1>w", stdin=subprocess.PIPE)) as make:
        assert make.stdout is not None
        shell = psutil.Process(int(make.stdout.readline()))
        shim = shell.parent()
        assert shim is not None
        assert tree.target_of(shim) == "z1>w"
        assert tree.target_of(shell) == ""
        words = [os.fsencode(word) for word in shim.cmdline()]
        assert {arguments.PROTOCOL, tree.rotate(arguments.PROTOCOL)}.intersection(words)


def test_rotating_twice_gives_the_word_back() -> None:
    word = bytes(range(1, 256))
    assert tree.rotate(tree.rotate(word)) == word
    assert tree.rotate(b"mm1 Stop-9/\xff") == b"zz6 Fgbc-4/\xff"
