"""What `status` and `doctor` say about how much is kept, and about what is not combined yet."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from make_metrics.combine.event import timestamp
from make_metrics.commands.finding import NOTE, Finding
from make_metrics.dataclass import asdict
from make_metrics.files.paths import Paths, printable_path
from make_metrics.report.local_time import local_time
from make_metrics.sinks.user_settings import read_history_limit
from make_metrics.store import bounds
from make_metrics.store.history import History
from make_metrics.store.pieces import Pieces
from make_metrics.sweep import clock

_HOUR_NS = 3_600_000_000_000
_MANY = 64
_DAY_S = 86_400


def history(paths: Paths, connection: sqlite3.Connection) -> dict[str, Any]:
    """How far back the store reaches, what its bounds have cost, and whether its clock has jumped."""
    reach = History(connection).reach()
    shown = clock.read(connection)
    return {
        "runs": reach.runs,
        "since": timestamp(reach.oldest_ns) if reach.runs else None,
        "lines_since": timestamp(reach.lines_ns) if reach.lines_ns > reach.oldest_ns else None,
        "bytes": reach.bytes,
        "limit_mib": read_history_limit(paths) // bounds.MIB,
        "deleted": [asdict(each) | {"last": timestamp(each.last_ns)} for each in bounds.given_up(connection)],
        "clock_jumped": timestamp(shown.jumped_ns) if shown and shown.jumped_ns else None,
    }


def backlog(paths: Paths, connection: sqlite3.Connection) -> Iterator[Finding]:
    """Records that wait to be combined, and events that wait to be sent, for longer than they should."""
    for run in Pieces(connection).runs():
        path = printable_path(paths.records / f"{run}.rec")
        yield Finding(NOTE, "backlog", f"{path} is large and combined in part: make-metrics report does the rest")
    sizes = [(status.st_mtime_ns, status.st_size) for status in _records(paths.records)]
    old = [size for written_ns, size in sizes if written_ns < time.time_ns() - _HOUR_NS]
    if len(old) > _MANY or sum(old) > bounds.MIB:
        text = f"{len(old)} records ({sum(old) // 1024} KiB) were last written over an hour ago"
        yield Finding(NOTE, "backlog", f"{text}: if no make writes to them, make-metrics report combines them")
    row = connection.execute("SELECT count(*), min(queued_ns) FROM outbox WHERE aside IS NULL").fetchone()
    if row[0] and row[1] < time.time_ns() - _DAY_S * 1_000_000_000:
        text = f"{row[0]} events wait to be sent, the oldest since {local_time(row[1])}"
        yield Finding(NOTE, "backlog", f"{text}: make-metrics flush sends them, or says why not")


def _records(directory: Path) -> Iterator[os.stat_result]:
    try:
        for entry in os.scandir(directory):
            if entry.name.endswith(".rec"):
                yield entry.stat(follow_symlinks=False)
    except OSError:
        return
