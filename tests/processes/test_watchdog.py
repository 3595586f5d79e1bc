"""A piece of work that takes too long ends its process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from make_metrics.processes.watchdog import watchdog
from tests.support.project import SOURCE

CODE = "import re, signal, time\nfrom make_metrics.processes.watchdog import watchdog\n"


@pytest.mark.parametrize(
    "work", ["time.sleep(60)", "re.match('(a+)+b', 'a' * 64)"], ids=["waits", "holds the interpreter"]
)
def test_it_ends_the_process_although_the_signal_was_blocked_and_ignored(work: str) -> None:
    code = (
        f"{CODE}signal.signal(signal.SIGALRM, signal.SIG_IGN)\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})\n"
        f"with watchdog(0.1):\n    {work}\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
    assert subprocess.run([sys.executable, "-c", code], env=environ, check=False).returncode == -signal.SIGALRM


def test_work_that_ends_in_time_stops_it() -> None:
    with watchdog(60):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    with pytest.raises(ValueError, match="no"), watchdog(60):
        raise ValueError("no")
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
