"""The invitation: two short lines that say that a project asks for metrics, once a week and three times in all at most.

The walk checks whether it is due (`consent.gate`), makes the text here, and writes it into the make's marker. Make's
first recipe line shows it when it has ended (`hot.recorder`), if its standard error is a terminal.
"""

from __future__ import annotations

import sys
import unicodedata
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

_COLUMNS = 79
_FIRST = "Project {} would like timing data about its make targets."
_SECOND = "Decide: make-metrics opt-in | opt-out"


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
    return _text(project.settings.name, environ)


def _text(name: str, environ: Mapping[str, str]) -> bytes:
    """The invitation of a project, its name shortened so that each line has less than 80 columns."""
    shortened = name
    while (wide := len(_encode(_FIRST.format(shortened), environ).decode()) + _extra_columns(shortened)) > _COLUMNS:
        name = name[: -max((wide - _COLUMNS) // 10, 1)]
        shortened = name.rstrip() + "..."
    return _encode(f"{_FIRST.format(shortened)}\n{_SECOND}", environ)


def _extra_columns(name: str) -> int:
    """How many more columns than characters a name takes."""
    return sum(unicodedata.east_asian_width(char) in "WF" for char in name)


def _encode(text: str, environ: Mapping[str, str]) -> bytes:
    """A text in UTF-8 if that is the terminal's encoding, else in ASCII: UTF-8 could contain its control characters."""
    locale = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    utf8 = locale.lower().replace("-", "").endswith("utf8") or sys.platform == "darwin"
    return text.encode() if utf8 else text.encode("ascii", "backslashreplace")
