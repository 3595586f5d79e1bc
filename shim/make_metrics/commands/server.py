"""`make-metrics server`: manage a receiver's projects, keys and viewing tokens; export and import events."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from make_metrics.commands.output_file import write_output
from make_metrics.commands.question import ask
from make_metrics.commands.server_database import opened_database
from make_metrics.errors import UsageError, UserError
from make_metrics.files.paths import printable_path
from make_metrics.printable import printable

if TYPE_CHECKING:
    from make_metrics.server.storage.database import Database

_ADDRESS = "https://ADDRESS-OF-THE-RECEIVER"
_SHOWN_REASONS = 20


def run(given: argparse.Namespace) -> int:
    """Do what the words say; 0, or 1 if a question is answered with no. Raises UserError."""
    action, names = _chosen(given.words)
    database = opened_database("server", given.database)
    from make_metrics.server.storage.database import AwayError

    try:
        return action(database, given, names)
    except AwayError as error:
        raise UserError(f"the database cannot be used now: {error}") from error
    finally:
        database.close()


_Action = Callable[["Database", argparse.Namespace, list[str]], int]


def _chosen(words: list[str]) -> tuple[_Action, list[str]]:
    """The action that the words name, and its names. Raises UsageError."""
    for count in (2, 1):
        if action := _ACTIONS.get(" ".join(words[:count])):
            function, least, most = action
            names = words[count:]
            if not least <= len(names) <= most:
                raise UsageError(
                    f"server {' '.join(words[:count])}: {'a name is missing' if not names else 'too many'}"
                )
            return function, names
    raise UsageError(f"server {' '.join(words)[:80]} is not known: make-metrics server --help")


def _add(database: Database, given: argparse.Namespace, names: list[str]) -> int:
    from make_metrics.commands.serve import sink_block
    from make_metrics.server.projects.projects import add_project

    del given
    sys.stdout.write(sink_block(_ADDRESS, add_project(database, names[0])))
    return 0


def _rotate(database: Database, given: argparse.Namespace, names: list[str]) -> int:
    from make_metrics.server.projects.projects import GRACE_DAYS, rotate_key

    key = rotate_key(database, names[0], at_once=given.at_once)
    sys.stdout.write(f'write-key = "{key}"\n')
    sys.stdout.write(
        "The old key is no longer taken.\n"
        if given.at_once
        else f"The old key is taken for {GRACE_DAYS} more days. A new key asks contributors again.\n"
    )
    return 0


def _disable(database: Database, given: argparse.Namespace, names: list[str]) -> int:
    del given
    return _set_disabled(database, names[0], disabled=True)


def _enable(database: Database, given: argparse.Namespace, names: list[str]) -> int:
    del given
    return _set_disabled(database, names[0], disabled=False)


def _set_disabled(database: Database, name: str, *, disabled: bool) -> int:
    from make_metrics.server.projects.projects import set_disabled

    set_disabled(database, name, disabled=disabled)
    sys.stdout.write(f"{printable(name)} takes {'no events any more' if disabled else 'events again'}.\n")
    return 0


def _set(database: Database, given: argparse.Namespace, names: list[str]) -> int:
    from make_metrics.server.projects.projects import change_project

    if given.retention is None and given.smallest_group is None:
        raise UsageError("server project set: say --retention DAYS or --smallest-group N")
    change_project(database, names[0], retention_days=given.retention, smallest_group=given.smallest_group)
    return _list(database, given, [])


def _delete(database: Database, given: argparse.Namespace, names: list[str]) -> int:
    from make_metrics.server.projects.projects import delete_project

    if not given.yes:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UserError("project delete asks before it deletes: run it in a terminal, or use --yes")
        if not ask(f"Delete {printable(names[0])} with all its events?"):
            sys.stdout.write("Nothing is deleted.\n")
            return 1
    delete_project(database, names[0])
    sys.stdout.write(f"{printable(names[0])} and all that was held of it is deleted.\n")
    return 0


def _list(database: Database, given: argparse.Namespace, names: list[str]) -> int:
    from make_metrics.server.projects.projects import list_projects

    del names
    projects = list_projects(database)
    if given.json:
        documents = [{"version": 1, **project._asdict()} for project in projects]
        sys.stdout.write(json.dumps(documents, indent=2) + "\n")
        return 0
    for project in projects:
        state = ", disabled" if project.disabled else ""
        sys.stdout.write(
            f"{printable(project.name)}: {project.people} {'person' if project.people == 1 else 'people'}, kept for "
            f"{project.retention_days} days, smallest group {project.smallest_group}{state}\n"
        )
        for key in project.keys:
            sys.stdout.write(f"  write key {key}\n")
    return 0


def _add_token(database: Database, given: argparse.Namespace, names: list[str]) -> int:
    from make_metrics.server.projects.tokens import add_token

    del given
    sys.stdout.write(f"{add_token(database, names[0] if names else None)}\n")
    return 0


def _delete_token(database: Database, given: argparse.Namespace, names: list[str]) -> int:
    from make_metrics.server.projects.tokens import delete_token

    del given
    delete_token(database, names[0].removeprefix("mmv_").partition("_")[0])
    sys.stdout.write("Nobody comes in with this token any more.\n")
    return 0


def _list_tokens(database: Database, given: argparse.Namespace, names: list[str]) -> int:
    from make_metrics.combine.event import timestamp
    from make_metrics.server.projects.projects import list_projects
    from make_metrics.server.projects.tokens import list_tokens

    del given, names
    projects = {project.id: project.name for project in list_projects(database)}
    for token, project, created_us in list_tokens(database):
        name = "all projects" if project is None else printable(projects.get(project, "?"))
        sys.stdout.write(f"{token}: {name}, made {timestamp(created_us * 1_000)}\n")
    return 0


def _export(database: Database, given: argparse.Namespace, names: list[str]) -> int:
    from make_metrics.server.projects.export import export

    lines = export(database, names[0])
    first = next(lines, "")  # before the file is touched: the project may not exist
    write_output(given.output, itertools.chain([first], lines))
    return 0


def _import(database: Database, given: argparse.Namespace, names: list[str]) -> int:
    from make_metrics.server.receiving.importing import import_messages, messages_of_lines

    name, *files = names
    if given.local == bool(files):
        raise UsageError("server import: name files, or say --local for your own store")
    if given.local:
        with _local_messages(given.directory) as messages:
            imported = import_messages(database, name, messages, any_command=True)
    else:
        lines = itertools.chain.from_iterable(_lines(Path(file)) for file in files)
        imported = import_messages(database, name, messages_of_lines(lines))
    sys.stdout.write(f"{_counted(imported.messages, 'message')}, {_counted(imported.new, 'event')} of them new\n")
    for (property_name, reason), count in imported.refused.most_common(_SHOWN_REASONS):
        sys.stdout.write(f"refused: {_counted(count, 'time')} {property_name or 'a whole message'}: {reason}\n")
    return 0


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' * (count != 1)}"


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise UserError(f"cannot read {printable_path(path)}: {error.strerror}") from error


@contextlib.contextmanager
def _local_messages(directory: str | None) -> Iterator[Iterator[object]]:
    """The events of this user's store, or of one project in it, as messages of one person.

    The person has the project's random id if there is one, else one that is nobody's.
    """
    from make_metrics.commands.project import project_at
    from make_metrics.commands.reading import combined_store, is_of
    from make_metrics.commands.view import NOBODY
    from make_metrics.consent.anonymous_id import read_id
    from make_metrics.files.paths import Paths
    from make_metrics.server.receiving.importing import messages_of_events

    project = None if directory is None else project_at(directory)
    anonymous_id = (project and read_id(Paths.from_environment(), project)) or NOBODY
    with combined_store() as store:
        path = "" if project is None else project.path
        events = (stored.event for stored in store.iterate_events() if is_of(stored.run_directory, path))
        yield messages_of_events(events, anonymous_id)


# Of each action the function, and how many names it takes.
_ACTIONS: dict[str, tuple[_Action, int, int]] = {
    "project add": (_add, 1, 1),
    "project rotate": (_rotate, 1, 1),
    "project disable": (_disable, 1, 1),
    "project enable": (_enable, 1, 1),
    "project set": (_set, 1, 1),
    "project delete": (_delete, 1, 1),
    "project list": (_list, 0, 0),
    "token add": (_add_token, 0, 1),
    "token delete": (_delete_token, 1, 1),
    "token list": (_list_tokens, 0, 0),
    "export": (_export, 1, 1),
    "import": (_import, 1, 1_000),
}
