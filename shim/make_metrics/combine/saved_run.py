"""A run's parts as bytes, so that late lines can be merged into them: JSON, compressed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

from make_metrics.combine.record import make_from, needs_from
from make_metrics.combine.run import Final, Piece, Run, Work
from make_metrics.dataclass import asdict, astuple

_LIMIT = 2**63
_LIMIT_BYTES = 512 * 1024 * 1024


def dump(run: Run) -> bytes:
    """A run as bytes for `load`."""
    document = {
        "id": run.id,
        "torn": run.torn,
        "makes": [asdict(make) for make in run.makes.values()],
        "work": [[make, target, _values(work)] for (make, target), work in run.work.items()],
    }
    if run.needs:
        document["needs"] = [[make, target, *astuple(needs)] for (make, target), needs in run.needs.items()]
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode("ascii"), 1)


def _values(work: Work) -> list[Any]:
    final = work.final
    last = [final.end_ns, final.start_ns, final.status, final.fate]
    values = [work.goal, work.level, work.start_ns, work.wall_ns, work.busy_ns, work.lines, last,
              work.cpu_us, work.peak_kib]  # fmt: skip
    return [*values, work.several] if work.several else values


def _work(
    goal: str, level: int, start_ns: int, wall_ns: int, busy_ns: int, lines: int, last: list[int],
    cpu_us: int | None = None, peak_kib: int | None = None, several: Sequence[Sequence[int | None]] = (),
) -> Work:  # fmt: skip
    """The work that `_values` took apart. Earlier versions did not store the last three values.

    Raises ValueError if a value is impossible.
    """
    numbers = [level, start_ns, wall_ns, busy_ns, lines, *last]
    if cpu_us is not None:
        numbers.append(cpu_us)
    if peak_kib is not None:
        numbers.append(peak_kib)
    for piece in several:
        numbers += [*piece[:3], *(usage for usage in piece[3:] if usage is not None)]  # type: ignore[list-item]
    # All at once: a large run has a million of them, and a sender has seconds.
    if type(goal) is not str or set(map(type, numbers)) != {int} or max(map(abs, numbers)) >= _LIMIT:
        raise ValueError("impossible work")
    pieces = tuple(Piece(*piece) for piece in several)  # type: ignore[arg-type]
    return Work(goal, level, start_ns, wall_ns, busy_ns, lines, Final(*last), cpu_us, peak_kib, pieces)


def _decompressed(data: bytes) -> bytes:
    """The bytes that were compressed; raises ValueError if they are more than a run can have."""
    decompressor = zlib.decompressobj()
    content = decompressor.decompress(data, _LIMIT_BYTES)
    if not decompressor.eof:
        raise ValueError("too much, or cut short")
    return content


def load(data: bytes) -> Run:
    """The run that `dump` was given. Raises ValueError for bytes that `dump` did not make."""
    try:
        document = json.loads(_decompressed(data))
        makes = [make_from(make) for make in document["makes"]]
        work = {(make, target): _work(*values) for make, target, values in document["work"]}
        texts = (document["id"], *(text for key in work for text in key))
        torn = document["torn"]
        if not all(isinstance(text, str) for text in texts) or type(torn) is not int or not 0 <= torn < _LIMIT:
            raise ValueError("impossible values")
        # Earlier versions did not store this.
        needs = {(str(make), str(target)): needs_from(*values) for make, target, *values in document.get("needs", ())}
        return Run(document["id"], {make.key: make for make in makes}, work, torn, needs)
    except (zlib.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("no saved run") from error
