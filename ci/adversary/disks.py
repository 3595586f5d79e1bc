"""Builds and commands where the disk is small or full, and where files may not grow."""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from ci.adversary.place import OFF, Figure, Place

SIZES_KIB = (4, 8, 16, 24, 32, 48, 64, 128, 256, 512, 1024)
LIMITS = (0, 1, 60, 100, 200, 300, 500, 1000, 2000, 4096, 20_000)
COMMANDS = (("runs",), ("report",), ("status",), ("doctor",), ("flush",), ("off",), ("opt-out",))
MAKEFILE = """\
all: a b c nested
\t@echo all
a:
\techo a
b:
\t@echo "b $$((1 + 1))"; exit 0
c:
\t-@exit 3
nested:
\t@$(MAKE) --no-print-directory inner
inner:
\t@echo inner
"""


def may_mount() -> bool:
    """Whether a file system can be mounted here."""
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return os.geteuid() == 0 and done.returncode == 0


@contextlib.contextmanager
def _mounted(folder: Path, size_kib: int) -> Iterator[None]:
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_kib}k", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def attack(folder: Path, shim: str, *, quick: bool) -> list[Figure]:
    """Every size of disk, and every limit of file size; with `quick` every fourth."""
    step = 4 if quick else 1
    sizes, limits = SIZES_KIB[::step] if may_mount() else (), LIMITS[::step]
    small = Figure(
        f"small disks, {shim} shim",
        f"{len(sizes)} sizes from {sizes[0]} to {sizes[-1]} KiB" if sizes else "none: only root mounts one",
    )
    for size in sizes:
        home = folder / f"disk{size}"
        with _mounted(home, size):
            _build(folder / f"project{size}", shim, home, small, None)
    limited = Figure(f"limits of file size, {shim} shim", f"{len(limits)} limits from 0 to {limits[-1]} bytes")
    for limit in limits:
        _build(folder / f"limit{limit}", shim, None, limited, limit)
    return [small, limited]


def _build(folder: Path, shim: str, home: Path | None, figure: Figure, limit: int | None) -> None:
    """Two makes, of which the second may find no room; what the first has recorded must stay."""

    def limits() -> None:
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    try:
        place = Place(folder, shim, home=home)
        place.write(MAKEFILE)
    except OSError:
        return  # not even the fragment has room
    plain = place.make(environ=OFF)
    figure.differing += place.make() != plain
    before = Counter(_entries(place))
    filler = place.home / "filler"
    if home is not None:
        subprocess.run(["dd", "if=/dev/zero", f"of={filler}"], stderr=subprocess.DEVNULL, check=False)
    figure.differing += place.make(limits=limits) != plain
    figure.lost += sum((before - Counter(_entries(place))).values())
    for command in COMMANDS:
        process = place.start(*command)
        _, errors = process.communicate()
        figure.failed += process.returncode not in (0, 1) or b"Traceback" in errors
    filler.unlink(missing_ok=True)
    recorded = sum(event["properties"]["recipe_lines"] for event in place.events())
    waiting = len(_entries(place))
    figure.lost += max(0, sum(before.values()) - recorded - waiting)


def _entries(place: Place) -> list[bytes]:
    records = place.paths.records.glob("*.rec")
    return [line for path in records for line in path.read_bytes().splitlines() if line[:2] == b"L "]
