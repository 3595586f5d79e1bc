"""A umask that takes rights from the owner too: the build is plain make's, and nothing of the recording is lost."""

from __future__ import annotations

import ctypes
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.project import SOURCE, Project

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
MAKEFILE = """\
all: a b nested
\t@umask; echo all
a b:
\t@umask; sleep 0.1
nested:
\t@$(MAKE) --no-print-directory inner
inner:
\t@umask
"""
COMMANDS = (
    ("setup",), ("report",), ("runs",), ("last",), ("events",), ("status",), ("doctor",), ("preview",), ("sent",),
    ("opt-in", "--yes"), ("on",), ("opt-out",), ("flush",), ("off",), ("on-this-machine",), ("schema",),
)  # fmt: skip
umasks = pytest.mark.parametrize("umask", [0o177, 0o277, 0o777], ids=oct)


def masked(umask: int) -> Callable[[], None]:
    """What a process does before it becomes a program: root too obeys the modes of files then."""
    libc = ctypes.CDLL(None)

    def before() -> None:
        os.umask(umask)
        if not os.geteuid():
            for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
                libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)

    return before


def command(project: Project, umask: int, *words: str, **environ: str) -> Any:
    env = {**project.environment(), "PYTHONPATH": str(SOURCE), "CI": "true" if "--yes" in words else "", **environ}
    return subprocess.run(
        [sys.executable, "-m", "make_metrics", *words],
        cwd=project.folder,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=masked(umask),
    )


def ours(project: Project) -> list[Path]:
    """Our files and directories below the home."""
    return [path for path in project.home.rglob("*") if not path.is_symlink()]


@umasks
def test_all_lines_are_recorded_in_a_home_that_has_nothing_yet(each: Project, umask: int) -> None:
    # The FIFO of make 4.4's own job server is closed to it by such a mask.
    jobs = ["-j3", *(["--jobserver-style=pipe"] if "--jobserver-style" in each.make("--help").stdout else [])]
    each.write(MAKEFILE, line="")
    plain = each.make(*jobs, preexec_fn=masked(umask))
    each.write(MAKEFILE)
    for _ in range(2):
        done = each.make(*jobs, preexec_fn=masked(umask))
        assert (done.returncode, sorted(done.stdout.splitlines())) == (0, sorted(plain.stdout.splitlines()))
        assert done.stderr == plain.stderr == ""
    records = command(each, umask, "events")
    assert (records.returncode, records.stderr) == (0, "")
    assert records.stdout.count("\n") == 2 * len(("all", "a", "b", "nested", "inner"))
    closed = [path for path in ours(each) if stat.S_IMODE(path.stat().st_mode) & 0o600 != 0o600]
    assert closed == []


@umasks
def test_no_command_loses_what_it_writes(project: Project, umask: int) -> None:
    (project.folder / "make-metrics.toml").write_text(
        'name = "Example"\ncollected-by = "The example team"\npurpose = "to make builds faster"\n'
        'contact = "https://example.org"\n[[sinks]]\ntype = "file"\n'
    )
    project.write(MAKEFILE)
    for words in COMMANDS:
        done = command(project, umask, *words)
        assert done.returncode in (0, 1), (words, done.stderr)
        assert "Traceback" not in done.stderr
        assert "ermission denied" not in done.stderr, (words, done.stderr)
    for words in (("on",), ("opt-in", "--yes")):
        assert command(project, umask, *words).returncode == 0, words
    assert project.make(preexec_fn=masked(umask)).returncode == 0
    flushed = command(project, umask, "flush", CI="")
    assert (flushed.returncode, flushed.stderr) == (0, ""), flushed
    (received,) = project.paths.files.rglob("*.jsonl")
    events = [line for line in received.read_text().splitlines() if '"choice"' not in line]
    assert len(events) == len(("all", "a", "b", "nested", "inner"))


def test_a_directory_that_an_earlier_version_left_closed_is_opened_by_the_next_command(project: Project) -> None:
    project.write(MAKEFILE)
    project.paths.state.mkdir(mode=0o600)
    assert command(project, 0o22, "report").returncode == 0
    assert stat.S_IMODE(project.paths.state.stat().st_mode) == 0o700
