"""What the commands about a project have in common: which project it is, its problems, and the store."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path
from make_metrics.project.project import Project, project_of
from make_metrics.sinks.kinds import readable, request_line
from make_metrics.sinks.sink import Prepared
from make_metrics.store import database
from make_metrics.store.store import Store


def project_at(directory: str | None) -> Project:
    """The project of a directory, or of the current one; raises UserError if there is no such directory."""
    place = Path("." if directory is None else directory)
    if directory == "":
        raise UserError("-C needs a directory: an empty name is none")
    if not place.is_dir():
        raise UserError(f"{printable_path(place)} is not a directory")
    return project_of(place)


def tell(problems: Iterable[str]) -> None:
    """Problems on standard error, a line each."""
    for problem in problems:
        sys.stderr.write(f"make-metrics: {problem}\n")


def write_request(kind: str, request: Prepared) -> None:
    """A request to a sink of a kind as it would be sent, on standard output: its address, and its body, readable."""
    sys.stdout.write(f"{request_line(request.url)}\n{readable(kind, request.url, request.body)}")


@contextlib.contextmanager
def opened_store(paths: Paths) -> Iterator[Store]:
    """The store for the length of a `with` block, without a sweep; problems go to standard error.

    Raises UserError if the store cannot be used, and as `database.opened` does for damage.
    """
    problems: list[str] = []
    try:
        with database.opened(paths, problems) as connection:
            yield Store(connection)
    finally:
        tell(problems)
