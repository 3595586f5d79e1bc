"""Viewing tokens: who has one may read, and not write. Only scrypt's hash of one is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import NamedTuple

from sqlalchemy import delete, select

from make_metrics.errors import UserError
from make_metrics.server.projects.projects import now_us, project_id
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.tables import SESSIONS, TOKENS

# What a token looks like: the row's id, and the secret.
_TOKEN = re.compile(r"mmv_([0-9a-f]{12})_([A-Za-z0-9_-]{32})")
_SALT = b"no such token"


class Viewer(NamedTuple):
    """Whom a token lets in: its id, and the number of the project that it is for; None for all projects."""

    token: str
    project: int | None


def add_token(database: Database, name: str | None) -> str:
    """Make a token for a project, or for all without a name. It is shown this once. Raises UserError."""
    token_id, secret, salt = secrets.token_hex(6), secrets.token_urlsafe(24), secrets.token_bytes(16)
    with database.writing() as connection:
        project = None if name is None else project_id(connection, name)
        connection.execute(
            TOKENS.insert().values(
                id=token_id, project=project, salt=salt, secret=_hash(secret, salt), created_us=now_us()
            )
        )
    return f"mmv_{token_id}_{secret}"


def check_token(database: Database, token: str) -> Viewer | None:
    """Whom a token lets in; None for a wrong one. Takes some 50 ms, right or wrong. Raises AwayError.

    Ask a `Throttle` first: this is work that a stranger can ask for.
    """
    match = _TOKEN.fullmatch(token[:100])
    row = None
    if match:
        with database.reading() as connection:
            row = connection.execute(select(TOKENS).where(TOKENS.c.id == match[1])).first()
    right = hmac.compare_digest(
        _hash(match[2] if match else "", row.salt if row else _SALT), row.secret if row else b"\0" * 32
    )
    return Viewer(row.id, row.project) if row is not None and right else None


def delete_token(database: Database, token_id: str) -> None:
    """Delete a token, and log out whoever came in with it. Raises UserError if there is none."""
    with database.writing() as connection:
        connection.execute(delete(SESSIONS).where(SESSIONS.c.token == token_id))
        if not connection.execute(delete(TOKENS).where(TOKENS.c.id == token_id)).rowcount:
            raise UserError(f"there is no token {token_id}: make-metrics server token list shows them")


def list_tokens(database: Database) -> list[tuple[str, int | None, int]]:
    """Of each token the id, the project's number (None for all) and when it was made, in microseconds since 1970."""
    with database.reading() as connection:
        query = select(TOKENS.c.id, TOKENS.c.project, TOKENS.c.created_us).order_by(TOKENS.c.created_us)
        return [(row.id, row.project, row.created_us) for row in connection.execute(query)]


def _hash(secret: str, salt: bytes) -> bytes:
    # 16 MiB and some 50 ms: a secret of 192 random bits needs no more, and a server is not busied by tries.
    return hashlib.scrypt(secret.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
