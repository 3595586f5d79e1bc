"""The command line: the table of commands, and what happens to a command's errors."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence

from make_metrics import __version__
from make_metrics.commands import warn
from make_metrics.commands.option import (
    COMPARE,
    GOAL,
    JSON,
    OF,
    PAGES,
    REPORT,
    SERVE,
    SERVER,
    SINCE,
    STREAMED,
    TABLES,
    VIEW,
    Option,
)
from make_metrics.commands.option import option as _option
from make_metrics.commands.parser import Parser, Unused, refuse
from make_metrics.errors import UsageError, UserError

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to load than this module
    from typing import Any

_USER, _USAGE, _BUG, _INTERRUPTED, _BROKEN_PIPE = 1, 2, 3, 130, 141


class Command:
    """One command: its name, a line of help, and its options.

    The module `commands.<name>` (`_` for `-`) has the function `run(given)`: parsed arguments in, an exit status out.
    """

    __slots__ = ("help", "name", "options")

    def __init__(self, name: str, help: str, options: tuple[Option, ...] = ()) -> None:  # noqa: A002
        """Load nothing yet."""
        self.name, self.help, self.options = name, help, options

    def run(self, given: argparse.Namespace) -> int:
        """Import this command's module alone, and run it."""
        import importlib

        module = importlib.import_module(f"make_metrics.commands.{self.name.replace('-', '_')}")
        status: int = module.run(given)
        return status


_PROJECT = _option("-C", metavar="DIR", dest="directory", help="the project of DIR instead of the current directory's")
_ONE_PROJECT = _option("-C", metavar="DIR", dest="directory", help="only what was recorded of the project of DIR")
_DATA = _option("--data", action="store_true", help="also remove all that was recorded")
_DECISIONS = _option("--decisions", action="store_true", help="also remove all decisions and pseudonymous ids")
_NO_QUESTION = _option("--yes", action="store_true", help="remove without being asked")
_DIRECTORY = _option("-C", metavar="DIR", dest="directory", help="write it in DIR instead of the current directory")
_SCHEMA = _option("--schema", action="store_true", help="print the JSON Schema of make-metrics.toml, for editors")
_YES = _option("--yes", action="store_true", help="agree without being asked")
_TIMEOUT = _option("--timeout", metavar="SECONDS", type=float, default=30.0, help="give up after SECONDS (default: 30)")
_RETRY = _option("--retry", action="store_true", help="try what receivers refused, and was set aside, again")
_ACTION = _option(
    "action",
    choices=("on", "off", "status", "preview"),
    help="on asks for a yes, off takes it back, preview prints the reports",
)
_SHELL = _option("shell", choices=("bash", "zsh", "fish", "man"), help="the shell; man for the manual page")
_RUN = _option(
    "which", nargs="?", default="last", metavar="RUN", help="a run's name, last or last~2 (default: last, the newest)"
)
_GOALS = _option("goals", nargs="*", metavar="GOAL", help="of make GOAL (default: of the make that runs, or ran last)")
_ALL = _option("--all", action="store_true", help="of the runs of all projects")
_ANY_MAKE = _option("--all", action="store_true", help="the makes of all projects")
_WAIT = _option("--wait", action="store_true", help="wait for a make, if none runs")
_WHICH = (GOAL, _ALL, OF)
_NEWEST = _option(
    "--limit", metavar="N", type=int, help="only the newest N runs (default: 20 in a table, all in json and csv)"
)
_NEWEST_EVENTS = _option(
    "--limit", metavar="N", type=int, help="only the newest N events (default: 20 in a table, all in json and csv)"
)
_JOBS = _option("-j", "--jobs", nargs="+", metavar="N", help="estimate for N jobs each (default: 1 2 4 8 16 unlimited)")
_PAGE = _option("-o", metavar="FILE", dest="output", help="the file to write (default: make-timeline-RUN.html)")
_OPEN = _option("--open", action="store_true", help="open it in the browser")
_OUTPUT = _option("-o", metavar="FILE", dest="output", required=True, help="the file to write, - for standard output")
_TARGET = _option("target", nargs="?", metavar="TARGET", help="a target of the Makefile: is it measured, and why not?")
_ADD = _option("--add", nargs="?", const="", metavar="MAKEFILE", help="add the include line to the Makefile")
_REMOVE = _option("--remove", nargs="?", const="", metavar="MAKEFILE", help="take the include line out again")
_ERASE = _option("--erase", action="store_true", help="also ask the receivers to delete what they hold of your id")

COMMANDS = (
    Command("setup", "write the fragment, and add its line to a Makefile or print it", (_ADD, _REMOVE)),
    Command("include", "print the path of the fragment, to include or copy it"),
    Command("env", "print a line for the shell with which every make below it is measured, without an include line"),
    Command(
        "report",
        "print what each target cost",
        REPORT,
    ),
    Command(
        "compare",
        "print which targets became slower or faster between two runs, branches, commits or times",
        COMPARE,
    ),
    Command("events", "print the events, one JSON object a line", (SINCE, _NEWEST_EVENTS, STREAMED)),
    Command("runs", "print the runs of make", (SINCE, _NEWEST, TABLES, JSON)),
    Command("last", "print what the newest run says: failures, critical path, slowest targets", (*_WHICH, PAGES, JSON)),
    Command("run", "print what a run says, as last does for the newest", (_RUN, *_WHICH, PAGES, JSON)),
    Command(
        "eta",
        "print how long make will likely take, or still take, from its runs before",
        (_GOALS, OF, TABLES, JSON),
    ),
    Command("watch", "show the targets of the make that runs, live, against its runs before", (_ANY_MAKE, OF, _WAIT)),
    Command("timeline", "write a run as one HTML file with a timeline of its jobs", (_RUN, *_WHICH, _PAGE, _OPEN)),
    Command("trace", "write a run as a trace that Perfetto and Chrome open", (_RUN, *_WHICH, _OUTPUT)),
    Command(
        "what-if",
        "estimate what a run would take with other numbers of jobs, and which targets to speed up first",
        (_RUN, *_WHICH, _JOBS, PAGES, JSON),
    ),
    Command("store", "print the path of the store, a SQLite file with views for other programs", (JSON,)),
    Command("off", "turn recording off"),
    Command("on", "turn recording on again, as it was before off"),
    Command("on-this-machine", "record on this machine and send nothing: takes back every yes"),
    Command("doctor", "say what is recorded here, and what keeps it from being recorded", (_PROJECT, JSON, _TARGET)),
    Command("init", "write a make-metrics.toml to fill in, or print its JSON Schema", (_DIRECTORY, _SCHEMA)),
    Command("check", "check a project's make-metrics.toml, as a step of CI", (_PROJECT,)),
    Command("opt-in", "show what would be collected from a project, and ask for a yes", (_PROJECT, _YES)),
    Command("opt-out", "stop sending from a project, delete what waits and your id", (_PROJECT, _ERASE)),
    Command("erase", "ask a project's receivers to delete what they hold of your id", (_PROJECT,)),
    Command("status", "print the mode and its reason, what waits, and all paths", (JSON, _PROJECT)),
    Command("preview", "print the exact bytes that would be sent, without sending", (_PROJECT, JSON)),
    Command("sent", "print what was sent in the last 90 days", (_PROJECT, JSON)),
    Command("schema", "print what an event may contain; with --json as JSON Schema", (JSON, _PROJECT)),
    Command("transparency", "print what is collected, why, who gets it, and how to stop", (_PROJECT,)),
    Command("flush", "send what waits now", (_TIMEOUT, _RETRY)),
    Command("crash-reports", "decide whether failures of make-metrics are reported", (_PROJECT, _ACTION, _YES)),
    Command("forget", "remove all that was recorded on this machine; decisions stay", (_ONE_PROJECT, _NO_QUESTION)),
    Command("view", "look at what was recorded on this machine in a browser; nothing is sent", VIEW),
    Command(
        "serve",
        "receive a team's events, and show them in a browser",
        SERVE,
    ),
    Command(
        "server",
        "manage a receiver's projects, keys and viewing tokens; export and import events",
        SERVER,
    ),
    Command("completion", "print what completes our commands in a shell, or the manual page", (_SHELL,)),
    Command("uninstall", "remove what set-up wrote on this machine", (_DATA, _DECISIONS, _NO_QUESTION)),
)


def parser(words: Sequence[str] | None = None) -> argparse.ArgumentParser:
    """The parser of the command line, made from the table.

    With `words`, what they cannot ask for is left out, as making all takes longer than parsing: if they begin with a
    command, all others; if they only ask for the list of commands, the commands' own parsers.
    """
    first = words[0] if words else ""
    chosen = [command for command in COMMANDS if command.name == first] or COMMANDS
    only_lists = words in (["--help"], ["-h"], ["-V"], ["--version"])
    whole = Parser(
        prog="make-metrics",
        description="Times every target of the Makefiles that include its fragment, and reports what each one costs.",
        epilog="For one make, MAKE_METRICS=off in the environment turns recording off; MAKE_METRICS=local or "
        "DO_NOT_TRACK=1 keeps its events on this machine. MAKE_METRICS_HOME names a directory for all files.",
        allow_abbrev=False,
    )
    whole.add_argument("-V", "--version", action="store_true", help="print the version and exit")
    made: Any = Unused if only_lists else Parser
    subparsers: Any = whole.add_subparsers(title="commands", metavar="COMMAND", dest="command", parser_class=made)
    for command in chosen:
        description = f"{command.help[:1].upper()}{command.help[1:]}."
        subparser = subparsers.add_parser(command.name, help=command.help, description=description, allow_abbrev=False)
        if only_lists:
            continue
        subparser.set_defaults(run=command.run)
        for option in command.options:
            subparser.add_argument(*option.names, **option.keywords)
    return whole


def _run(arguments: Sequence[str] | None) -> int:
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["help"]:  # "help report" is "report --help"
        words = [*words[1:2], "--help"]
    whole = parser(words)
    given, unknown = whole.parse_known_args(words)
    if given.command == "server" and not any(word.startswith("-") for word in unknown):
        given.words, unknown = [*given.words, *unknown], []  # argparse ends the words at the first option
    if unknown:
        options = [option for command in COMMANDS if command.name == given.command for option in command.options]
        refuse(given.command, [name for option in options for name in option.names], unknown[0])
    if given.version:
        sys.stdout.write(f"make-metrics {__version__}\n")
        return 0
    if given.command is None:
        whole.error("a command is missing")
    if given.command not in ("setup", "include", "uninstall", "init", "check", "completion"):
        from make_metrics.setup.renewal import renew

        renew()
    status: int = given.run(given)
    return status


def _report_bug(error: Exception) -> None:
    import platform
    import traceback

    from make_metrics.crashes import log as crash_log

    sys.stderr.write(
        "make-metrics: this is a bug in make-metrics; please report it with these lines:\n"
        f"  make-metrics {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
        f"{traceback.format_exc()}"
    )
    crash_log.note(error, part="command")


def _discard_output() -> None:
    """Redirect standard output to /dev/null: when the interpreter ends it flushes, which would fail again."""
    descriptor = os.open(os.devnull, os.O_WRONLY)
    os.dup2(descriptor, 1)
    os.close(descriptor)


def _store_mended() -> bool:
    """Whether the store had rows with impossible values, which may be why a command failed; they are removed then."""
    try:
        from make_metrics.files.paths import Paths
        from make_metrics.store import impossible

        line = impossible.remove(Paths.from_environment())
    except Exception:
        return False
    if line:
        sys.stderr.write(f"make-metrics: {line}\n")
    return bool(line)


def main(arguments: Sequence[str] | None = None, *, again: bool = False) -> int:
    """Run one command; its exit status. `again` after what made it fail was removed from the store.

    0, or 1 for a user's error, 2 for wrong usage, 3 for a bug, 130 for Ctrl-C, 141 for a closed pipe.
    """
    gc.set_threshold(50_000)  # a command makes little garbage, and loading modules makes none
    os.umask(os.umask(0o077) & 0o077)  # a mask that hides files from their owner would hide ours from us
    for stream in (sys.stdout, sys.stderr):
        # A target's name may have characters that the terminal's encoding lacks.
        if stream is not None and hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123
    if os.environ.get("PYTHONWARNINGS"):  # meant for the project's own programs: as an error a warning ends a command
        import warnings

        warnings.simplefilter("ignore")
    warn.begin()
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except UserError as error:
        warn.warn([str(error)])
        return _USAGE if isinstance(error, UsageError) else _USER
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _discard_output()
        return _BROKEN_PIPE
    except OSError as error:
        _discard_output()
        sys.stderr.write(f"make-metrics: {error.filename or 'standard output'}: {error.strerror}\n")
        return _USER
    except Exception as error:
        if not again and _store_mended():
            return main(arguments, again=True)
        _report_bug(error)
        return _BUG
