"""`make-metrics serve`: receive a team's events, and show them in a browser."""

from __future__ import annotations

import argparse
import logging
import sys
from typing import TYPE_CHECKING

from make_metrics.commands.own_pages import serve_pages, temporary_database
from make_metrics.commands.server_database import database_url, opened_database
from make_metrics.errors import UserError

if TYPE_CHECKING:
    from make_metrics.server.storage.database import Database

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_FIRST = "team"
_DEMO = "demo"


def run(given: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C; 0. Raises UserError if database or port cannot be used."""
    if given.demo:
        return _demo(given)
    database = opened_database("serve", given.database)
    from make_metrics.server.app import application
    from make_metrics.server.listening import listen, serve
    from make_metrics.server.settings import ServerSettings
    from make_metrics.server.storage.database import shown_url

    if given.user_header and not given.proxy:
        raise UserError("--user-header needs --proxy: whose header counts?")
    logging.basicConfig(level=logging.WARNING, format="make-metrics: %(message)s")
    listening = listen(given.host, given.port)
    host = f"[{given.host}]" if ":" in given.host else given.host
    url = (given.url or f"http://{host}:{listening.getsockname()[1]}").rstrip("/")
    settings = ServerSettings(url=url, user_header=given.user_header or "", proxies=tuple(given.proxy or ()))
    sys.stdout.write(f"database: {shown_url(database_url(given.database))}\naddress: {url}/\n")
    if given.host not in _LOOPBACK:
        sys.stdout.write(
            f"{given.host} can be reached from other machines, without encryption: keys, tokens and events can be read "
            "on the way.\nPut a proxy with TLS in front, and let this listen on 127.0.0.1.\n"
        )
    sys.stdout.write(_first_project(database, url))
    sys.stdout.flush()
    try:
        serve(application(database, settings), listening)
    finally:
        database.close()
    return 0


def _first_project(database: Database, url: str) -> str:
    """What to do with a new database, whose first project and viewing token are made here; else where they are."""
    from make_metrics.server.projects.projects import add_project, list_projects
    from make_metrics.server.projects.tokens import add_token
    from make_metrics.server.storage.tables import RETENTION_DAYS

    if list_projects(database):
        return (
            "Viewing tokens were shown when they were made: make-metrics server token add makes another.\n"
            "make-metrics server project list shows the write keys.\n"
        )
    key = add_project(database, _FIRST)
    token = add_token(database, None)
    return (
        f"viewing token: {token} (shown only now)\nto look: {url}/login?token={token}\n\n"
        "For the project's make-metrics.toml, to commit, below its name, collected-by, purpose and\n"
        f'retention = "{RETENTION_DAYS} days", after which events are deleted here '
        f"(make-metrics init begins such a file):\n\n{sink_block(url, key)}\n"
    )


def _demo(given: argparse.Namespace) -> int:
    """Show a made-up team until SIGTERM or Ctrl-C; 0. Raises UserError."""
    if given.database:
        raise UserError("--demo has a database of its own: leave out --database")
    if given.host not in _LOOPBACK:
        raise UserError("--demo is for this machine: leave out --host")
    with temporary_database("serve --demo") as database:
        from sqlalchemy import func, select

        from make_metrics.server.demo import messages
        from make_metrics.server.projects.projects import add_project, now_us
        from make_metrics.server.receiving.importing import import_messages
        from make_metrics.server.storage.rollups import refresh
        from make_metrics.server.storage.tables import DAY_US, EVENTS

        add_project(database, _DEMO)
        import_messages(database, _DEMO, messages(today=now_us() // DAY_US))
        refresh(database)
        # Runs are not listed where groups may be too small to be shown: this one has the most targets.
        largest = select(EVENTS.c.run).group_by(EVENTS.c.run).order_by(func.count().desc(), EVENTS.c.run).limit(1)
        with database.reading() as connection:
            run = connection.scalar(largest)
        serve_pages(database, port=given.port, run=str(run))
    return 0


def sink_block(url: str, key: str) -> str:
    """The table that a project's settings file needs to send here."""
    return f'[[sinks]]\ntype = "segment"\nhost = "{url}"\nwrite-key = "{key}"\nerasure = true\n'
