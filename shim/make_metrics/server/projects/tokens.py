"""Viewing tokens: who has one may read, and not write. Only scrypt's hash of one is kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import threading
from typing import NamedTuple

from sqlalchemy import delete, select, update

from make_metrics.errors import UserError
from make_metrics.server.projects.projects import now_us, project_id
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.tables import SESSIONS, TOKENS

# What a token looks like: the row's id, and the secret.
_TOKEN = re.compile(r"mmv_([0-9a-f]{12})_([A-Za-z0-9_-]{32})")
_SALT = b"no such token"
_HINT_BYTES = 2
_ONE_AT_A_TIME = threading.Lock()  # a hash takes 16 MiB


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
                id=token_id,
                project=project,
                salt=salt,
                secret=_hash(secret, salt),
                hint=_hint(secret, salt),
                created_us=now_us(),
            )
        )
    return f"mmv_{token_id}_{secret}"


def check_token(database: Database, token: str) -> Viewer | None:
    """Whom a token lets in; None for a wrong one. Raises AwayError.

    The slow hash, some 50 ms, is work that a stranger could ask for, and behind which the right token would wait. So
    its hint is looked at first: of 65,536 wrong tokens with a right id one is hashed, and none with a wrong id. A token
    that an earlier version made has its hint once it has let somebody in.
    """
    match = _TOKEN.fullmatch(token[:100])
    row = None
    if match:
        with database.reading() as connection:
            row = connection.execute(select(TOKENS).where(TOKENS.c.id == match[1])).first()
    secret = match[2] if match else ""
    hint = _hint(secret, row.salt if row else _SALT)
    likely = hmac.compare_digest(hint, (row.hint if row else None) or hint)
    if row is None or not likely:
        return None
    with _ONE_AT_A_TIME:
        right = hmac.compare_digest(_hash(secret, row.salt), row.secret)
    if not right:
        return None
    if row.hint is None:
        with database.writing() as connection:
            connection.execute(update(TOKENS).where(TOKENS.c.id == row.id).values(hint=hint))
    return Viewer(row.id, row.project)


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


def _hint(secret: str, salt: bytes) -> bytes:
    # 16 bits of it are known to whoever has the database; 176 random ones are left, behind the slow hash.
    return hashlib.sha256(b"hint" + salt + secret.encode()).digest()[:_HINT_BYTES]


def _hash(secret: str, salt: bytes) -> bytes:
    # 16 MiB and some 50 ms: a secret of 192 random bits needs no more, and a server is not busied by tries.
    return hashlib.scrypt(secret.encode(), salt=salt, n=2**14, r=8, p=1, dklen=32)
