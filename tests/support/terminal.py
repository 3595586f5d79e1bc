"""Commands of ours in a terminal of a size."""

from __future__ import annotations

import sys

import pexpect

from tests.support.project import SOURCE
from tests.support.sharing_project import Sharing


def spawned(sharing: Sharing, *words: str, columns: int = 80, rows: int = 24, **environ: str) -> pexpect.spawn[str]:
    """Start `make-metrics WORDS` in a terminal, in the project's folder."""
    return pexpect.spawn(
        sys.executable,
        ["-m", "make_metrics", *words],
        cwd=str(sharing.project.folder),
        env={**sharing.project.environment(), "PYTHONPATH": str(SOURCE), **environ},
        encoding="utf-8",
        timeout=60,
        dimensions=(rows, columns),
    )
