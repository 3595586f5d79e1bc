"""`make-metrics doctor`: check what make-metrics uses on this machine, and print what keeps it from working."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from make_metrics.commands.finding import BAD, NOTE, OK, Finding
from make_metrics.commands.history import backlog
from make_metrics.commands.makefile_findings import examine_last_run, examine_makefile
from make_metrics.commands.process_findings import examine_devices, examine_processes
from make_metrics.commands.project import project_at
from make_metrics.commands.prose import show_after
from make_metrics.consent import consent
from make_metrics.consent.mode import Decision, Mode, through_sudo
from make_metrics.consent.policy import read_policy
from make_metrics.crashes import log as crash_log
from make_metrics.dataclass import asdict
from make_metrics.errors import UserError
from make_metrics.files.owners import left_by_root
from make_metrics.files.paths import Paths, printable_path, private_directory
from make_metrics.hot import arguments
from make_metrics.metrics import catalogue
from make_metrics.project.project import Project
from make_metrics.properties import is_test
from make_metrics.sender import reaper
from make_metrics.setup import bundle, fragment, makefile_stamps
from make_metrics.sinks.user_settings import read_user_settings
from make_metrics.store import database
from make_metrics.store.troubles import Troubles

_TRY_S = 10
_MOVE_AWAY = "move it away, and run make-metrics setup"
VERSION = 1  # changes if a field changes its meaning or goes away
_SHOWN_FILES, _SHOWN_FAILURES = 3, 3


def run(given: argparse.Namespace) -> int:
    """Print the findings as text or as JSON; 1 if one is BAD, else 0.

    Raises UserError for a bad MAKE_METRICS_HOME or a bad directory.
    """
    paths = Paths.from_environment()
    project = project_at(given.directory)
    document: dict[str, object] = {}
    checks: dict[str, Callable[[], Finding | Iterable[Finding]]] = {
        "home": lambda: _left_by_root(paths),
        "fragment": lambda: _fragment(paths),
        "recording": lambda: _recording(paths, project),
        "interpreter": _interpreter,
        "fast path": _launcher,
        "modules": _bundle,
        "psutil": _psutil,
        "processes": examine_processes,
        "devices": examine_devices,
        "state": lambda: _state(paths),
        "sender": _sender,
        "settings": lambda: _settings(paths, project),
        "set aside": lambda: _damaged_files(paths),
        "metric": lambda: _metrics(paths, project),
        "store": lambda: _store(paths),
        "failure": lambda: _failures(paths),
    }
    findings = [finding for subject, check in checks.items() for finding in _findings(paths, subject, check)]
    # After a damaged store was set aside, and that was said.
    findings += _findings(paths, "Makefile", lambda: _makefile(paths, given, document))
    has_bad = any(finding.result == BAD for finding in findings)
    if given.json:
        found = {"version": VERSION, "ok": not has_bad, "findings": list(map(asdict, findings)), "makefile": document}
        text = json.dumps(found, indent=2)
        sys.stdout.write(f"{text}\n")
    else:
        show_after((f"{one.result:4}  {one.subject:11}  ", one.text) for one in findings)
    return int(has_bad)


def _makefile(paths: Paths, given: argparse.Namespace, document: dict[str, object]) -> list[Finding]:
    """What doctor finds about the Makefile; the same for programs goes into `document`."""
    directory = Path(given.directory or ".")
    examined = examine_makefile(directory, given.target or "")
    examine_last_run(paths, directory, examined)
    files = examined.document.get("files")
    if "hook" in examined.document and isinstance(files, list):  # `report` need not say again what stands here
        makefile_stamps.remember(paths, directory.resolve(), files)
    document |= examined.document
    return examined.findings


def _findings(paths: Paths, subject: str, check: Callable[[], Finding | Iterable[Finding]]) -> Iterable[Finding]:
    """The findings of a check; if it raises, one that says so, and the other checks go on."""
    try:
        findings = check()
        yield from [findings] if isinstance(findings, Finding) else findings
    except Exception as error:
        crash_log.note(error, part="command", paths=paths)
        yield Finding(BAD, subject, f"this check failed with {type(error).__name__}: {ascii(str(error))[1:-1][:200]}")


def _fragment(paths: Paths) -> Finding:
    path = printable_path(paths.fragment)
    try:
        expected = fragment.render(paths)
    except UserError as error:
        return Finding(BAD, "fragment", str(error))
    try:
        if paths.fragment.exists() and not paths.fragment.is_file():  # reading a pipe would never end
            return Finding(BAD, "fragment", f"{path} is not a file, and make may wait for it: {_MOVE_AWAY}")
        text = paths.fragment.read_text()
    except FileNotFoundError:
        return Finding(BAD, "fragment", f"{path} does not exist: run make-metrics setup")
    except (OSError, ValueError) as error:
        return Finding(BAD, "fragment", f"{path} cannot be read: {error}")
    if not fragment.same(text, fragment.keep_other_machines(expected, text)):
        reason = "another installation or another version has written it"
        return Finding(BAD, "fragment", f"{path}: {reason}: run make-metrics setup")
    return Finding(OK, "fragment", path)


def _recording(paths: Paths, project: Project) -> Finding:
    if paths.off_file.exists():
        return Finding(NOTE, "recording", "off; make-metrics on turns it on again, as it was before")
    if os.environ.get("MAKE_METRICS") == "off":
        return Finding(NOTE, "recording", "off: MAKE_METRICS is 'off' in the environment")
    status = consent.status_of(paths, project, os.environ)
    if status.decision in (Decision.CORRUPT, Decision.UNREADABLE):
        path = printable_path(consent.decision_path(paths, project))
        remedy = f"move {path} away, or decide again (make-metrics opt-in or opt-out)"
        return Finding(BAD, "recording", f"off here: {status.ruling.reason}; {remedy}")
    if status.ruling.rule == "policy":
        here = "off here" if status.ruling.mode is Mode.OFF else "on, and nothing is sent"
        return Finding(NOTE, "recording", f"{here}: {status.ruling.reason}")
    if status.ruling.mode is Mode.OFF:
        return Finding(NOTE, "recording", f"off here: {status.ruling.reason}; make-metrics on-this-machine turns it on")
    return Finding(OK, "recording", "on")


def _interpreter() -> Finding:
    words = [sys.executable, "-I", "-S", "-c", "import posix, _signal, errno, time, fcntl"]
    return _try("interpreter", words, sys.executable)


def _launcher() -> Finding:
    path = fragment.entry().with_name("hot") / "launcher"
    cost = "each recipe line starts a Python interpreter"
    if sys.platform not in ("linux", "darwin"):
        return Finding(NOTE, "fast path", f"only for Linux and macOS; {cost}")
    if not path.exists():
        return Finding(NOTE, "fast path", f"not built: no working C compiler when this was installed; {cost}")
    finding = _try("fast path", [str(path), arguments.PROTOCOL.decode()], printable_path(path))
    return finding if finding.result == OK else Finding(NOTE, "fast path", f"{finding.text}; {cost}")


def _try(subject: str, words: list[str], text: str) -> Finding:
    """Run a program, which has to end with status 0; `text` is the finding then."""
    try:
        process = subprocess.run(words, input="", capture_output=True, text=True, timeout=_TRY_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Finding(BAD, subject, f"{words[0]} cannot be run: {error}")
    if process.returncode:
        lines = process.stderr.strip().splitlines()
        return Finding(BAD, subject, f"{words[0]} ended with {process.returncode}{': ' + lines[-1] if lines else ''}")
    return Finding(OK, subject, text)


def _bundle() -> Finding:
    if bundle.fits():
        return Finding(OK, "modules", f"compiled in {printable_path(bundle.path('').parent)}")
    reason = bundle.obstacle()
    if reason:
        return Finding(NOTE, "modules", f"{reason}; each recipe line loads them one by one")
    return Finding(NOTE, "modules", "not compiled: run make-metrics setup")


def _psutil() -> Finding:
    """The walk needs psutil; `walk.walk` finds it with or without the site module."""
    try:
        import psutil
    except ImportError as error:
        effect = "a make that another make starts is recorded as a run of its own"
        return Finding(BAD, "psutil", f"{error}: {effect}; install make-metrics again")
    return Finding(OK, "psutil", psutil.__version__)


def _left_by_root(paths: Paths) -> Iterable[Finding]:
    """What root, run with this home, has left in it."""
    for directory in left_by_root([paths.data, paths.config, paths.state, paths.records], Path.home()):
        command = f'sudo chown -R "$(id -u):$(id -g)" {shlex.quote(printable_path(directory))}'
        yield Finding(BAD, "home", f"{printable_path(directory)} belongs to root; give it back: {command}")


def _state(paths: Paths) -> Finding:
    probe = paths.records / f"doctor.{os.getpid()}"
    try:
        for directory in (paths.state, paths.records, paths.makes):
            private_directory(directory)
        probe.touch(mode=0o600)
        try:
            probe.write_bytes(bytes(4096))  # a full disk has room for an empty file
        finally:
            probe.unlink()
    except UserError as error:
        return Finding(BAD, "state", str(error))
    except OSError as error:
        return Finding(BAD, "state", f"{printable_path(paths.records)} cannot be written: {error.strerror}")
    return Finding(OK, "state", printable_path(paths.state))


def _sender() -> Finding:
    """Whether a make that is started here may leave a process behind, which it does only after a yes."""
    reason = reaper.obstacle(os.environ)
    if reason:
        after = (
            ""
            if reaper.prohibition(os.environ)
            else "the first line of a make sends what earlier makes have left, and "
        )
        return Finding(NOTE, "sender", f"none: {reason}; after a yes, {after}make-metrics flush sends what waits")
    return Finding(OK, "sender", "after a yes, sends when make has ended")


def _settings(paths: Paths, project: Project) -> Iterable[Finding]:
    for problem in [*project.problems, *read_user_settings(paths)[1]]:
        yield Finding(BAD, "settings", problem)
    for problem in read_policy().problems:
        yield Finding(BAD, "policy", problem)
    if problem := is_test.problem(os.environ):
        yield Finding(BAD, "environment", problem)


def _damaged_files(paths: Paths) -> Iterable[Finding]:
    try:
        damaged = sorted(Path(entry.path) for entry in os.scandir(paths.set_aside))
    except OSError:
        damaged = []
    for path in damaged[-_SHOWN_FILES:]:
        yield Finding(NOTE, "set aside", f"{printable_path(path)} was damaged")
    if len(damaged) > _SHOWN_FILES:
        yield Finding(NOTE, "set aside", f"and {len(damaged) - _SHOWN_FILES} more")


def _metrics(paths: Paths, project: Project) -> Iterable[Finding]:
    """The metrics of other distributions that the project here asks for."""
    names = project.settings.metrics if project.settings else ()
    for name, metric in catalogue.refresh(paths, names).items():
        if metric.problem:
            result = BAD if metric.offer else NOTE  # not installed here; others in the project may have it
            yield Finding(result, "metric", f"{name} {metric.problem}")
        else:
            yield Finding(OK, "metric", f"{name}, of {' '.join(metric.offer[:2])}")


def _store(paths: Paths) -> Iterable[Finding]:
    """Damage of the store, and what went wrong with metrics according to the store."""
    if not paths.store.exists() or through_sudo(os.environ, root=not os.geteuid()):
        return
    problems: list[str] = []
    try:
        with database.opened(paths, problems) as connection:
            counts, findings = Troubles(connection).all(), list(backlog(paths, connection))
    except UserError as error:
        counts, findings, problems = [], [], [str(error)]
    for problem in problems:
        yield Finding(BAD, "store", problem)
    yield from findings
    for count in counts:
        yield Finding(NOTE, "metric", count.text)


def _failures(paths: Paths) -> Iterable[Finding]:
    for line in crash_log.lines(paths, _SHOWN_FAILURES):
        yield Finding(NOTE, "failure", line)
