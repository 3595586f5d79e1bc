"""How long a line that has ended is not yet in its record: what a kill -9 of its recorder costs just then.

A program notes the time as its last act. A watcher looks at the record's size without a pause, and notes when it grows.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from ci.adversary.place import Place

_PROGRAM = """\
#include <stdio.h>
#include <time.h>
#include <unistd.h>
int main(int count, char **words)
{
    struct timespec now;
    FILE *file = fopen(words[1], "a");
    usleep(3000);
    clock_gettime(CLOCK_MONOTONIC, &now);
    fprintf(file, "%lld\\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    fclose(file);
    _exit(count != 2);
}
"""


@dataclass(frozen=True, slots=True)
class Window:
    """In microseconds: from the program's last instructions, and from when the shim saw its end, to the entry.

    The median, and the value that one line in ten is below: a busy machine runs something else in many of them.
    """

    from_exit_us: float
    from_exit_tenth_us: float
    from_seen_us: float
    from_seen_tenth_us: float
    lines: int


def measure(folder: Path, shim: str, *, lines: int) -> Window:
    """The window of the lines of one make but the first, medians. Raises OSError or CalledProcessError without `cc`."""
    place = Place(folder, shim)
    program, journal = folder / "program", folder / "journal"
    (folder / "program.c").write_text(_PROGRAM)
    subprocess.run(["cc", "-O2", "-o", program, folder / "program.c"], check=True, capture_output=True)
    place.write("all:\n" + f"\t@{program} {journal}\n" * lines)
    grown: dict[int, int] = {}
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(place.paths.records, grown, ended))
    watcher.start()
    place.make()
    ended.set()
    watcher.join()
    exits = [int(line) for line in journal.read_text().split()]
    (record,) = place.paths.records.glob("*.rec")
    sizes, ends, size = list[int](), list[int](), 0  # of the record after each line's entry, and when the line ended
    for entry in record.read_bytes().splitlines(keepends=True):
        size += len(entry)
        if entry.startswith(b"L "):
            sizes.append(size)
            ends.append(int(entry.split()[7]))
    whole, own = list[float](), list[float]()
    for number in range(1, len(sizes) - 1):  # the first line waits for the walk
        # What belongs to the line is written with it. The watcher may have missed a size, if it was not running.
        seen = [grown[size] for size in range(sizes[number], sizes[number + 1]) if size in grown]
        if seen:
            whole.append((seen[0] - exits[number]) / 1000)
            own.append((seen[0] - ends[number]) / 1000)
    (tenth, *_), (own_tenth, *_) = (statistics.quantiles(values, n=10) for values in (whole, own))
    return Window(statistics.median(whole), tenth, statistics.median(own), own_tenth, len(whole))


def _watch(records: Path, grown: dict[int, int], ended: threading.Event) -> None:
    """Note when the one record has grown, by its size."""
    while not (found := list(records.glob("*.rec"))):
        if ended.is_set():
            return
    descriptor = os.open(found[0], os.O_RDONLY)
    size = os.fstat(descriptor).st_size
    while not ended.is_set():
        now = os.fstat(descriptor).st_size
        if now != size:
            grown[now] = time.monotonic_ns()
            size = now
    os.close(descriptor)
