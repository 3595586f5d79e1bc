"""The receiver's database for commands: whether the packages are there, and which one is meant."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, private_directory

if TYPE_CHECKING:
    from make_metrics.server.storage.database import Database

VARIABLE = "MAKE_METRICS_DATABASE"
_NEEDED = ("alembic", "jinja2", "sqlalchemy", "starlette", "uvicorn")


def require_packages(command: str) -> None:
    """Raise UserError if the receiver's packages are not installed."""
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise UserError(f"{command} needs {missing[0]}, which is not here: pip install 'make-metrics[server]'")


def database_url(named: str | None) -> str:
    """The URL of the database: the named one, that of MAKE_METRICS_DATABASE, or a SQLite file of this user's."""
    if url := named or os.environ.get(VARIABLE):
        return url
    path = Paths.from_environment().server_database
    private_directory(path.parent)
    return f"sqlite:///{path}"


def opened_database(command: str, named: str | None) -> Database:
    """The open database. Raises UserError if the packages are missing, or it cannot be opened."""
    require_packages(command)
    from make_metrics.server.storage.database import open_database

    return open_database(database_url(named))
