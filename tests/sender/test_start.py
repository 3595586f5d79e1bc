"""Whether a make gets a sender, and how little is loaded to find out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from make_metrics.consent import consent
from make_metrics.files.paths import Paths
from make_metrics.project import settings
from make_metrics.project.project import project_of
from make_metrics.project.root import find_root
from make_metrics.sender.start import yes_on_file
from tests.support.imports import loaded_after_psutil
from tests.support.project import until

# Slow modules that the walk must not load itself. psutil loads some of them.
SLOW = {"dataclasses", "typing", "pathlib", "json", "enum", "subprocess", "sqlite3", "filelock", "requests"}


def test_the_walk_loads_nothing_slow_before_the_first_line_goes_on() -> None:
    assert not loaded_after_psutil("make_metrics.walk.walk") & SLOW


def test_the_sender_loads_nothing_slow_before_make_has_ended() -> None:
    assert not loaded_after_psutil("make_metrics.sender.sender") & SLOW


def test_a_yes_is_on_file_and_so_is_a_no(tmp_path: Path) -> None:
    (tmp_path / settings.NAME).write_text(
        'name = "n"\ncollected-by = "c"\npurpose = "p"\n[[sinks]]\ntype = "segment"\nwrite-key = "k"\n'
    )
    project, paths = project_of(tmp_path), Paths.from_environment()
    state, environ = str(paths.state), dict(os.environ)
    assert not yes_on_file(find_root(str(tmp_path)), environ, state)
    for yes in (True, False):
        with consent.lock(paths):
            consent.write_decision(paths, project, yes=yes, now_ns=1)
        assert yes_on_file(find_root(str(tmp_path)), environ, state) is yes


def test_on_this_machine_takes_a_yes_back(tmp_path: Path) -> None:
    (tmp_path / settings.NAME).write_text(
        'name = "n"\ncollected-by = "c"\npurpose = "p"\n[[sinks]]\ntype = "segment"\nwrite-key = "k"\n'
    )
    project, paths = project_of(tmp_path), Paths.from_environment()
    with consent.lock(paths):
        consent.write_decision(paths, project, yes=True, now_ns=1)
    assert yes_on_file(find_root(str(tmp_path)), dict(os.environ), str(paths.state))
    with consent.lock(paths):
        consent.write_on_this_machine(paths, now_ns=2)
    assert not yes_on_file(find_root(str(tmp_path)), dict(os.environ), str(paths.state))


# A walk that starts a sender, slowly, and is ended with its group as soon as the line may go on.
SLOW_START = """
import os, signal, sys, time
from make_metrics.sender import protocol, start
def slowly(setsid=os.setsid):
    time.sleep(0.2)
    setsid()
os.setsid = slowly
os.setpgid(0, 0)
protocol.PROGRAM = sys.argv[1]
start._detach(os.environ)
os.killpg(0, signal.SIGKILL)
"""


def test_the_line_that_ends_the_walk_does_not_end_the_sender(tmp_path: Path) -> None:
    program, started = tmp_path / "sender.py", tmp_path / "started"
    program.write_text(f"open({str(started)!r}, 'w').close()")
    done = subprocess.run([sys.executable, "-c", SLOW_START, str(program)], stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == -signal.SIGKILL
    until(started.exists, seconds=20)
