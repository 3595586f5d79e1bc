"""Many nested makes in one run, and a run of very many targets."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

from ci.adversary.place import COMPILED, OFF, Figure, Place
from make_metrics.hot import procfs, record_format

NESTED = """\
all: $(foreach number,{numbers},n$(number))
\t@echo all
{rules}
"""
RULE = "n{number}:\n\t@$(MAKE) --no-print-directory -f inner.mk inner{number}\n"
INNER = "inner{number}:\n\t@echo inner {number}\n"


def nested(folder: Path, shim: str, *, count: int) -> list[Figure]:
    """One run of so many nested makes."""
    place = Place(folder, shim)
    numbers = range(count)
    rules = "".join(RULE.format(number=number) for number in numbers)
    place.write(NESTED.format(numbers=" ".join(map(str, numbers)), rules=rules))
    inner = "".join(INNER.format(number=number) for number in numbers)
    (place.project / "inner.mk").write_text(f"{inner}-include {place.paths.fragment}\n")
    plain = place.make(environ=OFF)
    differing = int(place.make() != plain)
    recorded = Counter(event["properties"]["command"] for event in place.events())
    wanted = {f"{kind}{number}" for kind in ("n", "inner") for number in numbers} | {"all"}
    doubled = sum(recorded.values()) - len(recorded)
    figure = Figure(
        f"nested makes, {shim} shim",
        f"{count} nested makes in one run, {len(wanted)} targets",
        lost=len(wanted - set(recorded)),
        doubled=doubled,
        differing=differing,
    )
    return [figure]


def many(folder: Path, shim: str, *, count: int) -> list[Figure]:
    """One run of so many targets, each built by make."""
    place = Place(folder, shim)
    place.write(f"all: $(foreach number,{' '.join(map(str, range(count)))},t$(number))\nt%:\n\t@:\n")
    begun = time.monotonic()
    differing = int(place.make("-j2")[::2] != (0, b""))
    return [combined(place, f"targets of one run, {shim} shim", count, begun, differing)]


def written(folder: Path, *, count: int) -> list[Figure]:
    """One run of so many targets, its record written as the shims write it."""
    place = Place(folder, COMPILED)
    place.paths.records.mkdir(parents=True)
    run = b"%b.7.1" % procfs.host()
    wall, start = time.time_ns(), time.monotonic_ns()
    with (place.paths.records / f"{run.decode()}.rec").open("wb") as record:
        record.write(record_format.preamble(run, os.urandom(8).hex().encode()))
        for number in range(count):
            at = start + number * 1000
            target = b"t%d" % number
            record.write(
                record_format.line_entry(run, target, b"all", 0, wall + number * 1000, at, at + 900, 0, 0, (1, 1))
            )
    return [combined(place, "a record of very many targets", count, time.monotonic(), 0)]


def combined(place: Place, name: str, count: int, begun: float, differing: int) -> Figure:
    """The figure of a run of `count` targets, after as many commands as its combining takes."""
    while True:
        place.command("runs")
        if not list(place.paths.records.glob("*.rec")):
            break
    recorded = Counter(event["properties"]["command"] for event in place.events())
    wanted = {f"t{number}" for number in range(count)}
    return Figure(
        name,
        f"{count} targets, recorded and combined in {time.monotonic() - begun:.0f} s",
        lost=len(wanted - set(recorded)),
        doubled=sum(recorded.values()) - len(recorded),
        differing=differing,
    )
