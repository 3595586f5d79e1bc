"""Who may look: viewing tokens, sessions in a cookie, and a header of a proxy."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from starlette.requests import Request
from starlette.responses import Response

from make_metrics.server.projects.projects import now_us
from make_metrics.server.projects.tokens import Viewer
from make_metrics.server.settings import ServerSettings
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.tables import SESSIONS, TOKENS

SESSION_S = 30 * 86_400
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_INSIDE = re.compile(r"/(?![/\\])[!-~]{0,500}")
# A viewer that a proxy let in, or of one's own store: all projects, and no session to end.
ALL = Viewer("", None)


class Sessions:
    """Sessions in the database, so that each of several receivers knows them."""

    def __init__(self, database: Database, settings: ServerSettings) -> None:
        """Read the settings only."""
        self._database, self._settings = database, settings
        address = urlsplit(settings.url)
        self._secure = address.scheme == "https"
        # A browser sends a host's cookies to all its ports: each of several servers on one machine has a name.
        port = f"_{address.port}" if address.port else ""
        self._name = f"{'__Host-' * self._secure}make_metrics{port}"

    def viewer(self, request: Request) -> Viewer | None:
        """Who asks; None for nobody who may look. Raises AwayError."""
        if self._let_in_by_proxy(request):
            return ALL
        session = self._session(request)
        if session is None:
            return None
        query = (
            select(TOKENS.c.id, TOKENS.c.project)
            .join(SESSIONS, SESSIONS.c.token == TOKENS.c.id)
            .where(SESSIONS.c.id == session, SESSIONS.c.until_us > now_us())
        )
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else Viewer(row.id, row.project)

    def begin(self, viewer: Viewer, response: Response) -> None:
        """Begin a session, and give its cookie to the browser. Raises AwayError."""
        secret = secrets.token_urlsafe(32)
        with self._database.writing() as connection:
            connection.execute(delete(SESSIONS).where(SESSIONS.c.until_us <= now_us()))
            connection.execute(
                SESSIONS.insert().values(
                    id=_digest(secret), token=viewer.token, until_us=now_us() + SESSION_S * 1_000_000
                )
            )
        response.set_cookie(
            self._name, secret, max_age=SESSION_S, path="/", secure=self._secure, httponly=True, samesite="lax"
        )

    def end(self, request: Request, response: Response) -> None:
        """End the session of a request. Raises AwayError."""
        session = self._session(request)
        if session is not None:
            with self._database.writing() as connection:
                connection.execute(delete(SESSIONS).where(SESSIONS.c.id == session))
        response.delete_cookie(self._name, path="/", secure=self._secure, httponly=True, samesite="lax")

    def form_secret(self, request: Request) -> str:
        """What a form of this session must send back; empty without a session. It does not tell the cookie."""
        cookie = request.cookies.get(self._name, "")
        return _digest(f"form {cookie}") if _SECRET.fullmatch(cookie) else ""

    def is_own_form(self, request: Request, sent: str) -> bool:
        """Whether a form is one of this session's pages."""
        secret = self.form_secret(request)
        return bool(secret) and hmac.compare_digest(secret.encode(), sent.encode())

    def is_other_site(self, request: Request) -> bool:
        """Whether a browser says that another site's page sends this."""
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
        if site not in (None, "same-origin", "none"):
            return True
        hosts = {request.headers.get("Host", ""), urlsplit(self._settings.url).netloc}
        return origin is not None and urlsplit(origin).netloc not in hosts

    def _session(self, request: Request) -> str | None:
        secret = request.cookies.get(self._name, "")
        return _digest(secret) if _SECRET.fullmatch(secret) else None

    def _let_in_by_proxy(self, request: Request) -> bool:
        header = self._settings.user_header
        if not header or request.client is None or request.client.host not in self._settings.proxies:
            return False
        return bool(request.headers.get(header, "").strip())


def inside(path: str) -> str:
    """A path of this server to go to after the login; "/" for whatever leads elsewhere."""
    return path if _INSIDE.fullmatch(path) else "/"


def _digest(secret: str) -> str:
    # The secret has 256 random bits: nobody can try them all, so that a slow hash would protect nothing more.
    return hashlib.sha256(secret.encode()).hexdigest()
