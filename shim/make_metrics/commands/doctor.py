"""`make-metrics doctor`: what is in use on this machine, and what keeps it from working."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from make_metrics.consent import consent
from make_metrics.consent.mode import Decision, Mode, through_sudo
from make_metrics.crashes import log as crash_log
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path, private_directory
from make_metrics.hot import arguments
from make_metrics.metrics import catalogue
from make_metrics.project.project import project_of
from make_metrics.sender import reaper
from make_metrics.setup import bundle, fragment
from make_metrics.sinks.user_settings import read_user_settings
from make_metrics.store import database
from make_metrics.store.troubles import Troubles

OK, NOTE, BAD = "ok", "note", "BAD"
_LIMIT_S = 10
_CRASHES = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at; what is BAD needs somebody to do something."""

    state: str
    about: str
    text: str


def _fragment(paths: Paths) -> Finding:
    place = printable_path(paths.fragment)
    try:
        wanted = fragment.render(paths)
    except UserError as error:
        return Finding(BAD, "fragment", str(error))
    try:
        found = paths.fragment.read_text()
    except FileNotFoundError:
        return Finding(BAD, "fragment", f"{place} is not there: run make-metrics setup")
    except (OSError, ValueError) as error:
        return Finding(BAD, "fragment", f"{place} cannot be read: {error}")
    if found != wanted:
        return Finding(BAD, "fragment", f"{place} is another installation's or an older one: run make-metrics setup")
    return Finding(OK, "fragment", place)


def _recording(paths: Paths) -> Finding:
    if paths.off_file.exists():
        return Finding(NOTE, "recording", "off; make-metrics on-this-machine turns it on")
    if os.environ.get("MAKE_METRICS") == "off":
        return Finding(NOTE, "recording", "off for what is started here: MAKE_METRICS=off")
    known = consent.status_of(paths, project_of(Path()), os.environ)
    if known.decision in (Decision.CORRUPT, Decision.UNREADABLE):
        remedy = f"move it away ({printable_path(consent.decision_path(paths, project_of(Path())))}), or say it again"
        return Finding(BAD, "recording", f"off here: {known.ruling.reason}; {remedy}")
    if known.ruling.mode is Mode.OFF:
        return Finding(NOTE, "recording", f"off here: {known.ruling.reason}; make-metrics on-this-machine turns it on")
    return Finding(OK, "recording", "on")


def _interpreter() -> Finding:
    words = [sys.executable, "-I", "-S", "-c", "import posix, _signal, errno, time, fcntl"]
    return _try("interpreter", words, sys.executable)


def _walk() -> Finding:
    """Psutil must be found without the site module's work, or with it: as in `walk.walk`."""
    try:
        import psutil
    except ImportError as error:
        return Finding(BAD, "psutil", f"{error}: nested makes would be runs of their own; install make-metrics again")
    return Finding(OK, "psutil", psutil.__version__)


def _launcher() -> Finding:
    place = fragment.entry().with_name("hot") / "launcher"
    without = "each line costs an interpreter's start"
    if sys.platform != "linux":
        return Finding(NOTE, "fast path", f"only for Linux; {without}")
    if not place.exists():
        return Finding(NOTE, "fast path", f"not built: no working C compiler when this was installed; {without}")
    found = _try("fast path", [str(place), arguments.PROTOCOL.decode()], printable_path(place))
    return found if found.state == OK else Finding(NOTE, "fast path", f"{found.text}; {without}")


def _precompiled() -> Finding:
    folder = printable_path(bundle.path("").parent)
    if bundle.fits():
        return Finding(OK, "modules", f"compiled in {folder}")
    why = bundle.obstacle()
    return Finding(
        NOTE, "modules", f"{why}; they are loaded one by one" if why else "not compiled: run make-metrics setup"
    )


def _try(about: str, words: list[str], text: str) -> Finding:
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(BAD, about, f"{words[0]} cannot be run: {error}")
    if done.returncode:
        said = done.stderr.strip().splitlines()
        return Finding(BAD, about, f"{words[0]} ended with {done.returncode}{': ' + said[-1] if said else ''}")
    return Finding(OK, about, text)


def _state(paths: Paths) -> Finding:
    probe = paths.records / f"doctor.{os.getpid()}"
    try:
        for directory in (paths.state, paths.records, paths.makes):
            private_directory(directory)
        probe.touch(mode=0o600)
        probe.unlink()
    except UserError as error:
        return Finding(BAD, "state", str(error))
    except OSError as error:
        return Finding(BAD, "state", f"{printable_path(paths.records)} cannot be written: {error.strerror}")
    return Finding(OK, "state", printable_path(paths.state))


def _sender() -> Finding:
    """Whether a process may be left behind here; it is only where somebody has said yes."""
    reason = reaper.obstacle(os.environ)
    if reason:
        return Finding(NOTE, "sender", f"none: {reason}; after a yes, make-metrics flush sends what waits")
    return Finding(OK, "sender", "after a yes, sends when make has ended")


def _problems(paths: Paths) -> Iterator[Finding]:
    try:
        found = sorted(Path(entry.path) for entry in os.scandir(paths.set_aside))
    except OSError:
        found = []
    for path in found[-3:]:
        yield Finding(NOTE, "set aside", f"{printable_path(path)} was damaged")
    if len(found) > 3:
        yield Finding(NOTE, "set aside", f"and {len(found) - 3} more")


def _crashes(paths: Paths) -> Iterator[Finding]:
    for line in crash_log.lines(paths, _CRASHES):
        yield Finding(NOTE, "failure", line)


def _settings(paths: Paths) -> Iterator[Finding]:
    for problem in [*project_of(Path()).problems, *read_user_settings(paths)[1]]:
        yield Finding(BAD, "settings", problem)


def _metrics(paths: Paths) -> Iterator[Finding]:
    """The metrics of other distributions that the project here asks for, and what went wrong with any metric."""
    settings = project_of(Path()).settings
    for name, known in catalogue.refresh(paths, settings.metrics if settings else ()).items():
        if known.problem:
            state = BAD if known.offer else NOTE  # others in the project may have installed it
            yield Finding(state, "metric", f"{name} {known.problem}")
        else:
            yield Finding(OK, "metric", f"{name}, of {' '.join(known.offer[:2])}")
    if paths.store.exists() and not through_sudo(os.environ, root=not os.geteuid()):
        problems: list[str] = []
        try:
            with database.opened(paths, problems) as connection:
                counts = Troubles(connection).all()
        except UserError as error:
            counts, problems = [], [str(error)]
        for problem in problems:
            yield Finding(BAD, "store", problem)
        for one in counts:
            yield Finding(NOTE, "metric", one.text)


def run(given: argparse.Namespace) -> int:  # noqa: ARG001
    """Print what was found; 1 if something needs to be done, else 0. Raises UserError for a bad MAKE_METRICS_HOME."""
    paths = Paths.from_environment()
    findings = [
        _fragment(paths),
        _recording(paths),
        _interpreter(),
        _launcher(),
        _precompiled(),
        _walk(),
        _state(paths),
        _sender(),
    ]
    findings += [*_settings(paths), *_problems(paths), *_metrics(paths), *_crashes(paths)]
    for found in findings:
        sys.stdout.write(f"{found.state:4}  {found.about:11}  {found.text}\n")
    return int(any(found.state == BAD for found in findings))
