"""Bugsink on loopback; runs in its own environment (see `sentry_receiver`), which knows nothing of this project.

    python -P sentry_receiver_server.py FOLDER [--prepare]

Its database and all that it writes are below FOLDER. With `--prepare` an empty database with one project is made there.
Else it is served: the first line of standard output is the project's DSN, and each request is appended, as it came in
and with the answer's status, to FOLDER/requests, one JSON object a line. Ends when standard input does.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

SETTINGS = """
from bugsink.settings.default import *
SECRET_KEY = "of no importance " * 4
DATABASES["default"]["NAME"] = {folder!r} + "/bugsink.sqlite3"
DATABASES["snappea"]["NAME"] = {folder!r} + "/snappea.sqlite3"
TIME_ZONE = "UTC"
SNAPPEA = {{"TASK_ALWAYS_EAGER": True}}
EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
LOGGING = {{"version": 1, "disable_existing_loggers": True}}
BUGSINK = {{
    "BASE_URL": "http://127.0.0.1", "SINGLE_USER": True, "SINGLE_TEAM": True, "PHONEHOME": False,
    "KEEP_ENVELOPES": 1000, "INGEST_STORE_BASE_DIR": {folder!r} + "/ingestion",
}}
"""


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing: the requests are written down elsewhere."""


def _set_up(folder: Path) -> None:
    (folder / "bugsink_conf.py").write_text(SETTINGS.format(folder=str(folder)))
    sys.path.insert(0, str(folder))
    os.environ["DJANGO_SETTINGS_MODULE"] = "bugsink_conf"
    importlib.import_module("django").setup()


def _prepare() -> None:
    call = importlib.import_module("django.core.management").call_command
    call("migrate", verbosity=0)
    team = importlib.import_module("teams.models").Team.objects.create(name="team")
    importlib.import_module("projects.models").Project.objects.create(name="make-metrics", team=team)


def _written_down(application: Callable[..., Iterable[bytes]], place: Path) -> Callable[..., Iterable[bytes]]:
    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        headers = {name: value for name, value in environ.items() if name.startswith(("HTTP_", "CONTENT_"))}
        seen = {"path": environ["PATH_INFO"], "headers": headers, "body": body.decode("latin-1")}

        def started(status: str, *more: Any) -> Any:
            with place.open("a") as file:
                file.write(json.dumps({**seen, "status": int(status.split()[0])}) + "\n")
            return start(status, *more)

        return application(environ, started)

    return answer


def main(folder: Path, *, prepare: bool) -> None:
    """Prepare the database, or serve it."""
    _set_up(folder)
    if prepare:
        _prepare()
        return
    project = importlib.import_module("projects.models").Project.objects.get()
    application = importlib.import_module("django.core.wsgi").get_wsgi_application()
    with make_server("127.0.0.1", 0, _written_down(application, folder / "requests"), handler_class=_Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"http://{project.sentry_key.hex}@127.0.0.1:{server.server_port}/{project.id}", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), prepare="--prepare" in sys.argv[2:])
