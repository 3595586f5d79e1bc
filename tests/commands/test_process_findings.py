"""What doctor says about /proc, in name spaces that it does not show as they are."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

import pytest

from make_metrics.commands.finding import BAD, OK
from make_metrics.commands.process_findings import examine_processes
from tests.support.namespaces import HIDDEN, NO_PROC, PID, TIME, needs
from tests.support.project import SOURCE

_SAID = "from make_metrics.commands.process_findings import *; f = examine_processes(); print(f.result, f.text)"


def test_nothing_is_amiss_here() -> None:
    assert examine_processes().result == OK


_OUTSIDE = "note /proc is that of the pid namespace outside: makes are recorded by the pids there"
_MOUNT = "mount it (as root: mount -t proc proc /proc)"


@pytest.mark.parametrize(
    ("inside", "said"),
    [
        (TIME, "ok /proc tells makes apart"),
        (PID, _OUTSIDE),
        (HIDDEN, f"{_OUTSIDE}, and one that a make outside starts is a run of its own: {_MOUNT}"),
        (NO_PROC, f"BAD nothing is recorded here, as /proc does not show the processes here: {_MOUNT}"),
    ],
    ids=["time", "pid", "hidden", "no /proc"],
)
def test_what_proc_shows_is_said(inside: Sequence[str], said: str) -> None:
    needs(*inside)
    done = subprocess.run([*inside, sys.executable, "-c", _SAID], env={"PYTHONPATH": str(SOURCE)}, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == (said, "")


def test_a_system_on_which_nothing_is_recorded_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "freebsd14")
    finding = examine_processes()
    assert (finding.result, finding.text) == (
        BAD,
        "nothing is recorded on freebsd14, only on Linux and macOS; builds are as without us",
    )
