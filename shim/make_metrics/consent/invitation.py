"""The invitation: one line that says that a project asks for metrics, at most once a week and three times in all.

Make's first recipe line shows it when it has ended (`hot.recorder`), if its standard error is a terminal. It is the
walk that finds it due (`project.root`), makes the line, and hands it over in the make's marker.
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
    """The line for a make with this environment in a directory, noted as shown at `now_ns`; empty if it is not due.

    It is not, besides what `gate.may_invite` says, where the settings name no sink, recording is off, or somebody
    else is at work on the notes and decisions; nor if it cannot be noted.
    """
    data, config = user_dirs.find_user_dirs(environ)
    paths = Paths(data=Path(data), config=Path(config), state=Path(data))
    project = project_of(Path(directory))
    if not project.settings or not project.sinks:
        return b""
    note = paths.invitations / project_key(project.directory)
    try:
        with consent.locked(paths, patience_s=0):
            ruling = consent.known(paths, project, environ).ruling
            shown = gate.shown_times(note)
            if (ruling.mode, ruling.rule) != (Mode.LOCAL, "default") or not gate.due(shown, now_ns=now_ns):
                return b""
            write_file(note, "".join(f"{time}\n" for time in [*shown, now_ns]).encode())
    except (UserError, OSError, ValueError):
        return b""
    said = f"{project.settings.name} asks for a record of how its make targets are used: make-metrics opt-in shows it"
    return _encoded(f"make-metrics: {said}, and asks; opt-out ends this", environ)


def _encoded(text: str, environ: Mapping[str, str]) -> bytes:
    """A text in the terminal's encoding, if that is UTF-8; else without what could be a control character there."""
    locale = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    utf8 = locale.lower().replace("-", "").endswith("utf8") or sys.platform == "darwin"
    return text.encode() if utf8 else text.encode("ascii", "backslashreplace")
