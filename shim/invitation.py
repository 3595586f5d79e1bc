"""The invitation: one line that says that a project asks for metrics, at most once a week and three times in all.

It stands at the end of what a command of ours prints, never in make's output: a makefile cannot note that it has said
something without failing where nothing can be written, and what runs beside a recipe would write into whatever that
shows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from shim import consent, private_file
from shim.errors import UserError
from shim.mode import Decision, Mode, in_ci
from shim.paths import Paths
from shim.settings import Project

WEEK_NS = 7 * 86_400_000_000_000
TIMES = 3


def due(shown_ns: Sequence[int], *, now_ns: int) -> bool:
    """Whether it may be shown again, given when it was (nanoseconds since the epoch); not while the clock is behind."""
    return len(shown_ns) < TIMES and now_ns - max(shown_ns, default=now_ns - WEEK_NS) >= WEEK_NS


def line(paths: Paths, project: Project, environ: Mapping[str, str], *, terminal: bool, now_ns: int) -> str:
    """The line to show, and a note that it was shown; empty if it is not to be, or the note cannot be written.

    Only for a project with sinks about which nothing was decided, on a terminal, not in CI, not where the environment
    holds everything back, and not in a make that another make started.
    """
    settings = project.settings
    known = consent.known(paths, project, environ)
    if not settings or not project.sinks or known.decision is not Decision.NONE or known.ruling.mode is not Mode.LOCAL:
        return ""
    if not terminal or in_ci(environ) or known.ruling.rule != "default" or _nested(environ):
        return ""
    try:
        with consent.locked(paths):
            shown = _shown(paths, project)
            if shown is None or not due(shown, now_ns=now_ns):
                return ""
            content = json.dumps({"shown_ns": [*shown, now_ns]}).encode() + b"\n"
            private_file.write(paths.invitations / consent.key(project.directory), content)
    except UserError:
        return ""
    return (
        f"{settings.name} asks for a record of how its make targets are used: make-metrics opt-in shows it, and asks."
    )


def _nested(environ: Mapping[str, str]) -> bool:
    """Whether this runs in a recipe of a make that is not the developer's own."""
    return environ.get("MAKELEVEL", "0") not in ("", "0", "1")


def _shown(paths: Paths, project: Project) -> list[int] | None:
    """When it was shown; None if that cannot be told, which is no reason to show it again."""
    try:
        content = private_file.read(paths.invitations / consent.key(project.directory))
        shown = json.loads(content)["shown_ns"] if content is not None else []
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return shown if isinstance(shown, list) and all(type(time) is int for time in shown) else None
