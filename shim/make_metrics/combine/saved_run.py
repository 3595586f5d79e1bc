"""A run's parts as bytes, so that late lines can be merged into them: JSON, compressed."""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict
from typing import Any

from make_metrics.combine.record import make_from
from make_metrics.combine.run import Final, Run, Work


def dump(run: Run) -> bytes:
    """A run as bytes for `load`."""
    document = {
        "id": run.id,
        "torn": run.torn,
        "makes": [asdict(make) for make in run.makes.values()],
        "work": [[make, target, _values(work)] for (make, target), work in run.work.items()],
    }
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode("ascii"), 1)


def _values(work: Work) -> list[Any]:
    final = work.final
    last = [final.end_ns, final.start_ns, final.status, final.fate]
    return [work.goal, work.level, work.start_ns, work.wall_ns, work.busy_ns, work.lines, last,
            work.cpu_us, work.peak_kib]  # fmt: skip


def _work(
    goal: str, level: int, start_ns: int, wall_ns: int, busy_ns: int, lines: int, last: list[int],
    cpu_us: int | None = None, peak_kib: int | None = None,
) -> Work:  # fmt: skip
    """The work that `_values` took apart. Earlier versions did not store the last two values."""
    return Work(goal, level, start_ns, wall_ns, busy_ns, lines, Final(*last), cpu_us, peak_kib)


def load(data: bytes) -> Run:
    """The run that `dump` was given. Raises ValueError for bytes that `dump` did not make."""
    try:
        document = json.loads(zlib.decompress(data))
        makes = [make_from(make) for make in document["makes"]]
        work = {(make, target): _work(*values) for make, target, values in document["work"]}
        return Run(document["id"], {make.key: make for make in makes}, work, document["torn"])
    except (zlib.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("no saved run") from error
