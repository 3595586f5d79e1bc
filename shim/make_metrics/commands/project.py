"""What the commands have in common: the project, the store, and what they write."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from make_metrics.commands.warn import warn
from make_metrics.crashes import log as crash_log
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, printable_path
from make_metrics.project.project import Project, project_of
from make_metrics.store import database
from make_metrics.store.store import Store
from make_metrics.sweep.sweep import sweep

if TYPE_CHECKING:
    from make_metrics.sinks.sink import Prepared


def project_at(directory: str | None) -> Project:
    """The project of a directory, None for the current one; raises UserError if there is no such directory."""
    path = Path("." if directory is None else directory)
    if directory == "":
        raise UserError("-C needs a directory, and its name is empty")
    if not path.is_dir():
        raise UserError(f"{printable_path(path)} is not a directory")
    return project_of(path)


def combine_records(paths: Paths, *, timeout_s: float) -> list[str]:
    """Sweep; what was a problem, a line each. Raises nothing: what a command does else must not depend on the sweep."""
    try:
        return sweep(paths, timeout=timeout_s).problems
    except UserError as error:
        return [str(error)]
    except Exception as error:
        crash_log.note(error, part="sweep", paths=paths)
        return [f"no records were combined: make-metrics failed with {type(error).__name__} (make-metrics doctor)"]


def write_request(kind: str, request: Prepared) -> None:
    """Write a request to a sink of type `kind` to standard output: a line with its address, then its body."""
    from make_metrics.sinks.kinds import readable, request_line

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
        warn(problems)
