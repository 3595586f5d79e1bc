"""A recipe line that walks again, in Python, for the make that runs it.

    walk_again.py STATE ENTRY g:GOAL m:LEVEL:VERSION:MAKE:IFS

The launcher has walked for the same make. Both find the same process tree, so the records and markers below STATE must
be those of the launcher's own state directory. It is started with `-I -S`, and imports nothing slow.
"""

from __future__ import annotations

import os
import subprocess
import sys


def main(state: str, entry: str, goal: str, meta: str) -> None:
    """Walk for the make above the shim above this process, unless that was done."""
    sys.path.insert(0, os.path.dirname(os.path.dirname(entry)))  # noqa: PTH120
    from make_metrics.hot import procfs, record_format

    make = procfs.parent(procfs.parent_pid())
    _, version, name, _ = os.fsencode(meta).removeprefix(b"m:").split(b":")
    default_goal = record_format.decode(os.fsencode(goal).removeprefix(b"g:"))
    key = procfs.process_key(make) or b""
    for folder in ("", "/records", "/makes"):
        os.makedirs(state + folder, mode=0o700, exist_ok=True)  # noqa: PTH103
    marker = f"{state}/makes/{key.decode()}"
    try:
        descriptor = os.open(marker, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    again = (b"walk", b"%d" % make, key, os.fsencode(state), record_format.decode(name), version, default_goal, b"-")
    python = [sys.executable, "-I", "-S", entry, *map(os.fsdecode, again)]
    subprocess.run(python, stdin=subprocess.DEVNULL, stdout=descriptor, check=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
