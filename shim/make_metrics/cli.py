"""The command line: what was asked for, the one command's module that does it, and what its errors look like."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from make_metrics.errors import UserError

_USER, _BUG, _INTERRUPTED, _BROKEN_PIPE = 1, 3, 130, 141


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message} (try: {self.prog} --help)")


def _report(given: argparse.Namespace) -> int:
    from make_metrics.commands import report

    return report.run(since=given.since, as_json=given.json)


def _events(given: argparse.Namespace) -> int:
    from make_metrics.commands import events

    return events.run(since=given.since)


def _runs(given: argparse.Namespace) -> int:
    from make_metrics.commands import runs

    return runs.run(since=given.since, as_json=given.json)


def _setup(given: argparse.Namespace) -> int:  # noqa: ARG001
    from make_metrics.commands import setup

    return setup.run()


def _include(given: argparse.Namespace) -> int:  # noqa: ARG001
    from make_metrics.commands import include

    return include.run()


def _off(given: argparse.Namespace) -> int:  # noqa: ARG001
    from make_metrics.commands import off

    return off.run()


def _on_this_machine(given: argparse.Namespace) -> int:  # noqa: ARG001
    from make_metrics.commands import on_this_machine

    return on_this_machine.run()


def _opt_in(given: argparse.Namespace) -> int:
    from make_metrics.commands import opt_in

    return opt_in.run(directory=given.directory, yes=given.yes)


def _opt_out(given: argparse.Namespace) -> int:
    from make_metrics.commands import opt_out

    return opt_out.run(directory=given.directory)


def _status(given: argparse.Namespace) -> int:
    from make_metrics.commands import status

    return status.run(directory=given.directory, as_json=given.json)


def _preview(given: argparse.Namespace) -> int:
    from make_metrics.commands import preview

    return preview.run(directory=given.directory)


def _sent(given: argparse.Namespace) -> int:
    from make_metrics.commands import sent

    return sent.run(directory=given.directory)


def _forget(given: argparse.Namespace) -> int:  # noqa: ARG001
    from make_metrics.commands import forget

    return forget.run()


def _flush(given: argparse.Namespace) -> int:
    from make_metrics.commands import flush

    return flush.run(timeout=given.timeout)


def _schema(given: argparse.Namespace) -> int:
    from make_metrics.commands import schema

    return schema.run(directory=given.directory, as_json=given.json)


def _transparency(given: argparse.Namespace) -> int:
    from make_metrics.commands import transparency

    return transparency.run(directory=given.directory)


def _doctor(given: argparse.Namespace) -> int:  # noqa: ARG001
    from make_metrics.commands import doctor

    return doctor.run()


def _crash_reports(given: argparse.Namespace) -> int:
    from make_metrics.commands import crash_reports

    return crash_reports.run(given.action, directory=given.directory, yes=given.yes)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="make-metrics",
        description="Times every target of the Makefiles that include its fragment, and reports what each one costs.",
        epilog="MAKE_METRICS_HOME moves everything that is kept; MAKE_METRICS=off turns recording off for one make, "
        "MAKE_METRICS=local keeps what it records here, and so does DO_NOT_TRACK=1.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")

    def verb(
        name: str,
        does: Callable[[argparse.Namespace], int],
        text: str,
        *,
        since: bool = False,
        json: bool = False,
        project: bool = False,
    ) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, help=text, description=f"{text[:1].upper()}{text[1:]}.", allow_abbrev=False)
        added.set_defaults(does=does)
        if since:
            form = "30m, 12h, 7d, 2w, or a date such as 2026-01-31"
            added.add_argument("--since", metavar="WHEN", help=f"only what began since then: {form}")
        if json:
            added.add_argument("--json", action="store_true", help="print JSON instead of text")
        if project:
            added.add_argument("-C", metavar="DIR", dest="directory", help="the project of DIR, not of this directory")
        return added

    verb("setup", _setup, "write the fragment, and print the line to add to a Makefile")
    verb("include", _include, "print the path of the fragment, to include or copy it")
    verb("report", _report, "print what each target cost", since=True, json=True)
    verb("events", _events, "print the events, one JSON object a line", since=True)
    verb("runs", _runs, "print the runs of make", since=True, json=True)
    verb("off", _off, "turn recording off")
    verb("on-this-machine", _on_this_machine, "record on this machine and send nothing")
    verb("doctor", _doctor, "say what is in use, and what keeps it from working", since=False, json=False)
    agree = verb("opt-in", _opt_in, "show what would be collected from a project, and ask for a yes", project=True)
    agree.add_argument("--yes", action="store_true", help="agree without being asked")
    verb("opt-out", _opt_out, "end the sending, delete what waits and the id", project=True)
    verb("status", _status, "print the mode and why, what waits, and all paths", json=True, project=True)
    verb("preview", _preview, "print the exact bytes that would be sent, without sending", project=True)
    verb("sent", _sent, "print what was sent in the last 90 days", project=True)
    verb("schema", _schema, "print what an event may carry; with --json as JSON Schema", json=True, project=True)
    verb("transparency", _transparency, "print what is collected, why, who gets it, and how to stop", project=True)
    send = verb("flush", _flush, "send what waits, now")
    send.add_argument("--timeout", metavar="SECONDS", type=float, default=30.0, help="give up after that (30)")
    crashes = verb("crash-reports", _crash_reports, "say whether failures of make-metrics are reported", project=True)
    crashes.add_argument("action", choices=("on", "off", "status", "preview"), help="ask for a yes, end it, or show it")
    crashes.add_argument("--yes", action="store_true", help="agree without being asked")
    verb("forget", _forget, "remove all that was recorded on this machine; decisions stay")
    return parser


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("make-metrics")
    except PackageNotFoundError:
        return "(not installed)"


def _run(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.version:
        sys.stdout.write(f"make-metrics {_version()}\n")
        return 0
    if given.command is None:
        parser.error("a command is missing")
    status: int = given.does(given)
    return status


def _bug(error: Exception) -> None:
    import platform
    import traceback

    from make_metrics.crashes import log as crash_log

    sys.stderr.write(
        "make-metrics: this is a bug in make-metrics; please report it with these lines:\n"
        f"  make-metrics {_version()}, Python {platform.python_version()}, {platform.platform()}\n"
        f"{traceback.format_exc()}"
    )
    crash_log.note(error, part="command")


def _output_is_gone() -> None:
    """Keep the interpreter from failing again when it flushes standard output at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit status: 1 for a user's error, 3 for a bug, 130 for Ctrl-C, 141 for a closed pipe."""
    for stream in (sys.stdout, sys.stderr):
        # A target's name may hold what the terminal's encoding cannot.
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except UserError as error:
        sys.stderr.write(f"make-metrics: {error}\n")
        return _USER
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _output_is_gone()
        return _BROKEN_PIPE
    except OSError as error:
        _output_is_gone()
        sys.stderr.write(f"make-metrics: {error.filename or 'standard output'}: {error.strerror}\n")
        return _USER
    except Exception as error:
        _bug(error)
        return _BUG
