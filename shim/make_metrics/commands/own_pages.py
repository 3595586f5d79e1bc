"""Pages that are served from this machine to this machine only, over a database that goes when they end."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import webbrowser
from collections.abc import Iterator
from typing import TYPE_CHECKING

from make_metrics.commands.server_database import require_packages
from make_metrics.errors import UserError

if TYPE_CHECKING:
    from make_metrics.server.storage.database import Database

_HOST = "127.0.0.1"


@contextlib.contextmanager
def temporary_database(command: str) -> Iterator[Database]:
    """A database in a directory that only this user can read, until the `with` block ends. Raises UserError."""
    require_packages(command)
    from make_metrics.server.storage.database import open_database

    try:
        folder = tempfile.TemporaryDirectory(prefix="make-metrics-", ignore_cleanup_errors=True)
    except OSError as error:
        raise UserError(f"cannot make a directory for the pages: {error.strerror}") from error
    with folder as path:
        database = open_database(f"sqlite:///{path}/events.sqlite3")
        try:
            yield database
        finally:
            database.close()


def serve_pages(database: Database, *, port: int, opens: bool = False, run: str = "") -> None:
    """Print the pages' address, with a token that lets in who has it, and serve until SIGTERM or Ctrl-C.

    `run` is the id of a run of the first project, whose page is named too. Other users of this machine can reach the
    port: without the token they see nothing. Raises UserError if the port
    cannot be used, or no browser can be started.
    """
    from starlette.applications import Starlette

    from make_metrics.server.listening import listen, serve
    from make_metrics.server.pages.app import Pages
    from make_metrics.server.projects.tokens import add_token
    from make_metrics.server.settings import ServerSettings

    listening = listen(_HOST, port)
    url = f"http://{_HOST}:{listening.getsockname()[1]}"
    address = f"{url}/login?token={add_token(database, None)}"
    one_run = f"then one run: {url}/projects/1/run?run={run}\n" if run else ""
    sys.stdout.write(f"{address}\n{one_run}Ctrl-C ends it.\n")
    sys.stdout.flush()
    if opens and not webbrowser.open(address):
        raise UserError("no browser could be started: open the address in one")
    serve(Starlette(routes=Pages(database, ServerSettings(url=url)).routes()), listening)
