"""The invitation: one line that says that a project asks for metrics, at most once a week and three times in all.

The walk checks whether it is due (`consent.gate`), makes the line here, and writes it into the make's marker. Make's
first recipe line shows it when it has ended (`hot.recorder`), if its standard error is a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from make_metrics.consent import consent, gate
from make_metrics.consent.mode import Mode
from make_metrics.errors import UserError
from make_metrics.files import user_dirs
from make_metrics.files.paths import Paths
from make_metrics.files.write import write_file
from make_metrics.project.project import project_of
from make_metrics.project.root import project_key


def line(environ: Mapping[str, str], directory: str, *, now_ns: int) -> bytes:
    """The invitation for a make in `directory`, recorded as shown at `now_ns`; empty if it is not due.

    `gate.may_invite` has checked what is cheap to check. Nor is it due if the settings name no sink, recording is off,
    another process holds the lock, or the time cannot be recorded. The line is in the terminal's encoding.
    """
    data, config, _ = user_dirs.find_user_dirs(environ)
    paths = Paths(data=Path(data), config=Path(config), state=Path(data))
    project = project_of(Path(directory))
    if not project.settings or not project.sinks:
        return b""
    path = paths.invitations / project_key(project.directory)
    try:
        with consent.lock(paths, patience_s=0):
            ruling = consent.status_of(paths, project, environ).ruling
            shown_ns = gate.shown_times(path)
            if (ruling.mode, ruling.rule) != (Mode.LOCAL, "default") or not gate.is_due(shown_ns, now_ns=now_ns):
                return b""
            write_file(path, "".join(f"{time_ns}\n" for time_ns in [*shown_ns, now_ns]).encode())
    except (UserError, OSError, ValueError):
        return b""
    return _encode(
        f"make-metrics: {project.settings.name} asks for a record of how its make targets are used: "
        "make-metrics opt-in shows it, and asks; opt-out ends this",
        environ,
    )


def _encode(text: str, environ: Mapping[str, str]) -> bytes:
    """A text in UTF-8 if that is the terminal's encoding, else in ASCII: UTF-8 could contain its control characters."""
    locale = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    utf8 = locale.lower().replace("-", "").endswith("utf8") or sys.platform == "darwin"
    return text.encode() if utf8 else text.encode("ascii", "backslashreplace")
