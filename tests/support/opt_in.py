"""An opt-in as `make-metrics opt-in` records it, without a terminal and in any process."""

from __future__ import annotations

from pathlib import Path

from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import ensure_id
from make_metrics.files.paths import Paths
from make_metrics.project.project import project_of

NOW_NS = 1_790_000_000_000_000_000


def opt_in(arguments: tuple[Paths, Path]) -> str:
    """Record a yes for the project of a directory; its pseudonymous id. One argument, for `Pool.map`."""
    paths, directory = arguments
    project = project_of(directory)
    with consent.lock(paths):
        anonymous_id = ensure_id(paths, project)
        consent.write_decision(paths, project, yes=True, now_ns=NOW_NS)
    return anonymous_id
