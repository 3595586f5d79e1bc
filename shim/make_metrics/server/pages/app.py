"""The addresses of the pages. All but the login only read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from sqlalchemy import Row, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from make_metrics.server.pages.drawing import HEADERS, page, static_file
from make_metrics.server.pages.filters import JOBS, PERIODS, FilterError, Filters, day_text, parse
from make_metrics.server.pages.login import ALL, Sessions, inside
from make_metrics.server.pages.questions.scope import UNKNOWN, cuts_of, scope_of
from make_metrics.server.pages.questions.target import jobs_text
from make_metrics.server.pages.sections import View, csv_text
from make_metrics.server.pages.views import failures, first_day, health, run, slower, target, time, use
from make_metrics.server.pages.views.asked import Asked
from make_metrics.server.projects.projects import now_us
from make_metrics.server.projects.throttle import Throttle
from make_metrics.server.projects.tokens import Viewer, check_token
from make_metrics.server.settings import ServerSettings
from make_metrics.server.storage.database import AwayError, Database
from make_metrics.server.storage.tables import DAY_US, PROJECTS


class _Kind(NamedTuple):
    title: str
    default_days: int
    view: Callable[[Asked], View]


VIEWS: Mapping[str, _Kind] = {
    "time": _Kind("Time", time.DEFAULT_DAYS, time.view),
    "slower": _Kind("Slower", slower.DEFAULT_DAYS, slower.view),
    "target": _Kind("Target", target.DEFAULT_DAYS, target.view),
    "failures": _Kind("Failures", failures.DEFAULT_DAYS, failures.view),
    "use": _Kind("Use", use.DEFAULT_DAYS, use.view),
    "run": _Kind("Run", run.DEFAULT_DAYS, run.view),
    "first-day": _Kind("First day", first_day.DEFAULT_DAYS, first_day.view),
    "health": _Kind("Health", health.DEFAULT_DAYS, health.view),
}
"""The pages, by the last word of their address."""

_MOST_FORM = 4_096
_AT_ONCE = 4  # pages that are made at the same time: a hundred browsers share two cores no better than in turn
_Handler = Callable[[Request], Response]


class Pages:
    """The handlers of requests."""

    def __init__(self, database: Database, settings: ServerSettings) -> None:
        """Read the settings only."""
        self._database = database
        self._sessions = Sessions(database, settings)
        self._wrong = Throttle(burst=20, per_s=0.5)
        self._pages_at_once, self._logins_at_once = CapacityLimiter(_AT_ONCE), CapacityLimiter(_AT_ONCE)

    def routes(self) -> list[Route]:
        """The addresses."""
        return [
            Route("/", self._answering(self._projects), methods=["GET"]),
            Route("/projects/{project:int}", self._answering(self._first), methods=["GET"]),
            Route("/projects/{project:int}/{view}", self._answering(self._view), methods=["GET"]),
            Route("/login", self._login, methods=["GET", "POST"]),
            Route("/logout", self._logout, methods=["POST"]),
            Route("/static/{version}/{name}", self._static, methods=["GET"]),
        ]

    def _answering(self, handler: Callable[[Request, Viewer], Response]) -> Callable[[Request], Any]:
        """A handler for whoever may look; others are shown the login."""

        @wraps(handler)
        def answer(request: Request) -> Response:
            viewer = self._sessions.viewer(request)
            if viewer is None:
                asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
                following = f"?next={quote(asked, safe='')}" if inside(asked) != "/" else ""
                return RedirectResponse(f"/login{following}", 303, HEADERS)
            return handler(request, viewer)

        async def answering(request: Request) -> Response:
            return await run_sync(_with_errors(answer), request, limiter=self._pages_at_once)

        return answering

    def _projects(self, request: Request, viewer: Viewer) -> Response:
        rows = [row for row in self._rows() if viewer.project in (None, row.id)]
        if len(rows) == 1:
            return RedirectResponse(f"/projects/{rows[0].id}/time", 303, HEADERS)
        return page("projects.html", projects=rows, **self._frame(request, viewer))

    def _first(self, request: Request, viewer: Viewer) -> Response:
        del viewer
        return RedirectResponse(f"{request.url.path.rstrip('/')}/time", 303, HEADERS)

    def _view(self, request: Request, viewer: Viewer) -> Response:
        name, number = request.path_params["view"], request.path_params["project"]
        projects = {row.id: row for row in self._rows() if viewer.project in (None, row.id)}
        if name not in VIEWS or number not in projects:
            raise HTTPException(404)
        filters, project, kind = parse(request.query_params), projects[number], VIEWS[name]
        now = now_us()
        with self._database.reading(for_values=True) as connection:
            scope = scope_of(
                connection,
                number,
                filters,
                smallest=project.smallest_group,
                today=now // DAY_US,
                days=kind.default_days,
            )
            asked = Asked(
                connection=connection, scope=scope, filters=filters, now_us=now, retention_days=project.retention_days
            )
            view = kind.view(asked)
            choices = _choices(connection, number)
        if filters.csv:
            return _csv(view, filters, f"{name}-{filters.csv}")
        return page(
            "view.html",
            project=project,
            name=name,
            view=view,
            views=VIEWS,
            filters=filters,
            choices=choices,
            days=scope.days,
            first=day_text(scope.first),
            last=day_text(scope.last),
            several=len(projects) > 1,
            **self._frame(request, viewer),
        )

    def _rows(self) -> list[Row[Any]]:
        with self._database.reading() as connection:
            return list(connection.execute(select(PROJECTS).order_by(PROJECTS.c.name)))

    def _frame(self, request: Request, viewer: Viewer) -> dict[str, Any]:
        return {"form_secret": "" if viewer == ALL else self._sessions.form_secret(request)}

    async def _login(self, request: Request) -> Response:
        form = await _form(request) if request.method == "POST" else dict(request.query_params)
        return await run_sync(
            _with_errors(lambda request: self._logged_in(request, form)), request, limiter=self._logins_at_once
        )

    def _logged_in(self, request: Request, form: Mapping[str, str] | None) -> Response:
        if form is None:
            raise HTTPException(413)
        following, token = inside(form.get("next", "/")), form.get("token", "").strip()
        if not token:
            return page("login.html", following=following, text="")
        if request.method == "POST" and self._sessions.is_other_site(request):
            raise HTTPException(403, "This form was sent by another site's page.")
        viewer = check_token(self._database, token)
        if viewer is None:
            if wait_s := self._wrong.failed():
                raise HTTPException(429, "Too many wrong tokens. Try again later.", {"Retry-After": str(wait_s)})
            return page("login.html", 401, following=following, text="This is no viewing token.")
        # 303: the address with the token is not the one that the browser keeps.
        answer = RedirectResponse(following, 303, HEADERS)
        self._sessions.begin(viewer, answer)
        return answer

    async def _logout(self, request: Request) -> Response:
        form = await _form(request)

        def logged_out(request: Request) -> Response:
            if form is None:
                raise HTTPException(413)
            if self._sessions.is_other_site(request) or not self._sessions.is_own_form(request, form.get("secret", "")):
                raise HTTPException(403, "This form is not of your session.")
            answer = RedirectResponse("/login", 303, HEADERS)
            self._sessions.end(request, answer)
            return answer

        return await run_sync(_with_errors(logged_out), request, limiter=self._pages_at_once)

    async def _static(self, request: Request) -> Response:
        return static_file(request.path_params["version"], request.path_params["name"])


def _csv(view: View, filters: Filters, name: str) -> Response:
    section = next((section for section in view.sections if section.columns and section.key == filters.csv), None)
    if section is None:
        raise HTTPException(404)
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}.csv"'}
    return PlainTextResponse(csv_text(section), 200, headers, media_type="text/csv")


def _choices(connection: Any, project: int) -> dict[str, list[tuple[str, str]]]:
    """What the filters offer: values, and what they mean."""
    cuts = cuts_of(connection, project)
    jobs = {row.jobs for row in cuts}
    return {
        "days": [(str(days), f"{days} days") for days in PERIODS],
        "system": [(value, value) for value in sorted({row.system or UNKNOWN for row in cuts})],
        "driver": [(value, value) for value in sorted({row.driver or UNKNOWN for row in cuts})],
        "jobs": [(str(value), jobs_text(value)) for value in JOBS if value in jobs],
        "branch": [("default", "default"), ("other", "other"), (UNKNOWN, UNKNOWN)],
        "goal": [("yes", "yes"), ("no", "no")],
    }


async def _form(request: Request) -> dict[str, str] | None:
    """The fields of a form; None for one that is too long."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_FORM:
            return None
    fields = parse_qs(body.decode("utf-8", "replace"))
    return {name: values[0] for name, values in fields.items()}


def _with_errors(handler: _Handler) -> _Handler:
    """A handler whose errors become pages."""

    def handling(request: Request) -> Response:
        try:
            return handler(request)
        except HTTPException as error:
            texts = {404: "There is no such page."}
            answer = page("message.html", error.status_code, title="", text=texts.get(error.status_code, error.detail))
            answer.headers.update(error.headers or {})
            return answer
        except FilterError as error:
            return page("message.html", 400, title="", text=f"{error}.")
        except AwayError:
            answer = page("message.html", 503, title="", text="The database cannot be reached now. Try again later.")
            answer.headers["Retry-After"] = "5"
            return answer

    return handling
