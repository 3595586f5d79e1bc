"""Bringing a database's tables to this version, by Alembic. The steps are in `storage.versions`."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from make_metrics.errors import UserError

_LOCK = 0x6D616B65  # "make": any number that all receivers share


def bring_up_to_date(connection: Connection) -> None:
    """Make the tables, or change them from an earlier version's, within the connection's transaction.

    Several receivers may start at once: one does it, the others wait. Raises UserError if a later version has changed
    the tables.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = _config(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise UserError("a later version of make-metrics has changed this database: update make-metrics here")
    command.upgrade(config, "head")


def _config(connection: Connection) -> Config:
    config = Config()
    here = Path(__file__).parent
    for name, folder in (("script_location", here), ("version_locations", here.with_name("versions"))):
        config.set_main_option(name, str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")  # a path may have blanks
    config.attributes["connection"] = connection
    return config
