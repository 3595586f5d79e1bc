"""Measures what a day of makes costs after a yes: the processor time of all processes, the senders' with it.

    python -m ci.bench.day [--makes 500] [--apart 60] [--make PATH]

Between two makes time is let pass as senders see it: the time of the last turn (that of the file of the senders'
lock) is set back by so many seconds, and the process that waits for the next turn is woken, which then looks at that
time again. So 500 makes of eight hours take some minutes. Before the next make, all turns that were due have ended.
Plain make's time is measured in the same run, and taken off.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import resource
import shutil
import sys
import tempfile
import time
from pathlib import Path

from ci.bench import ends
from ci.bench.timing import ended
from ci.bench.workspace import Workspace
from make_metrics.files.paths import Paths
from make_metrics.sender import burst


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.bench.day", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--makes", type=int, default=500, help="how many makes")
    parser.add_argument("--apart", type=float, default=60, help="seconds from one to the next")
    parser.add_argument("--make", default=shutil.which("make"), help="the make to measure with")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="make-metrics-bench-") as folder:
        workspace = Workspace(Path(folder), options.make)
        with ends.sharing(workspace) as (plain, ours, environ):
            plain_s = _used(workspace, plain, environ, options.makes, 0)
            ours_s = _used(workspace, ours, environ, options.makes, options.apart)
            arrived = ends.arrived()
    sys.stdout.write(
        f"{options.makes} makes, {options.apart:g} s apart: {ours_s - plain_s:.2f} s of processor time more than the "
        f"{plain_s:.2f} s of plain make, {(ours_s - plain_s) / options.makes * 1000:.1f} ms each; "
        f"{arrived} requests arrived\n"
    )
    return 0


def _used(workspace: Workspace, folder: Path, environ: dict[str, str], makes: int, apart_s: float) -> float:
    """The seconds of processor time that all processes of so many makes have used, to the end of the last sender."""
    before = _children_s()
    for _ in range(makes):
        ended([workspace.make], folder, environ)
        if apart_s:
            _settle(workspace.paths)
            _let_pass(workspace.paths, apart_s)
            _settle(workspace.paths)
    burst.end_rest(workspace.paths)
    while ends.senders():
        _reap()
    return _children_s() - before


def _children_s() -> float:
    _reap()
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _reap() -> None:
    time.sleep(0.005)
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _settle(paths: Paths) -> None:
    """Wait until each sender has ended but the one that waits for a turn which is not due yet."""
    while senders := ends.senders():
        if len(senders) == 1 and burst.next_turn(paths) > time.time():
            return
        _reap()


def _let_pass(paths: Paths, seconds: float) -> None:
    """Let time pass as senders see it."""
    for path in (paths.sender_lock, paths.sender_wanted):
        if os.path.lexists(path):
            moment = path.stat().st_mtime - seconds
            os.utime(path, (moment, moment))


if __name__ == "__main__":
    ctypes.CDLL(None).prctl(ends.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    raise SystemExit(main())
