"""Noting the bundles in the list of files that the installer removes with the package.

`pip uninstall`, like uv's, removes the files that RECORD names, and leaves others behind with their folders (PyPA's
specification of recorded installed distributions). A bundle fits one interpreter, so no wheel can bring it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

_RECORD = "make_metrics-*.dist-info/RECORD"


def note(files: Iterable[Path], site_packages: Path) -> None:
    """Add files below a folder of packages to our RECORD there, unless it names them, or there is none. Raises nothing.

    Without a hash and a size, which the specification leaves open: an upgrade of another interpreter changes them.
    """
    with contextlib.suppress(OSError, ValueError):
        for record in site_packages.glob(_RECORD):
            if record.stat().st_uid != os.geteuid():
                return
            content = record.read_bytes()
            lines = [os.fsencode(f"{path.relative_to(site_packages).as_posix()},,") for path in files]
            if missing := [line for line in lines if line not in content]:
                end = b"\r\n" if b"\r\n" in content else b"\n"
                _replace(record, b"".join([content.rstrip(b"\r\n"), *(end + line for line in missing), end]))


def _replace(record: Path, content: bytes) -> None:
    scratch = record.with_name(f"{record.name}.{os.getpid()}")
    try:
        scratch.write_bytes(content)
        shutil.copymode(record, scratch)
        scratch.replace(record)
    finally:
        scratch.unlink(missing_ok=True)
