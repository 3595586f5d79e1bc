"""The receiver's application in a thread on loopback, and a client that keeps cookies as a browser does."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlencode

import uvicorn

from make_metrics.server.app import application
from make_metrics.server.listening import listen
from make_metrics.server.settings import ServerSettings
from make_metrics.server.storage.database import Database
from tests.support.team_receiver import Answer


@contextlib.contextmanager
def site(database: Database, *, user_header: str = "", proxies: tuple[str, ...] = ()) -> Iterator[str]:
    """The address of the application, for the length of a `with` block."""
    listening = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    settings = ServerSettings(url=url, user_header=user_header, proxies=proxies)
    config = uvicorn.Config(
        application(database, settings), log_level="warning", access_log=False, proxy_headers=False, server_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < until
        time.sleep(0.005)
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join(30)


@dataclass(slots=True)
class Client:
    """A client of a site. `cookies` has those that it was given, by name."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Answer:
        return self._ask("GET", path, None, headers)

    def post(self, path: str, fields: dict[str, str], **headers: str) -> Answer:
        return self._ask("POST", path, urlencode(fields).encode(), headers)

    def login(self, token: str, **headers: str) -> Answer:
        return self.post("/login", {"token": token, "next": "/"}, **headers)

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=60)
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            given["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = line.partition(";")[0].partition("=")
                self.cookies[name] = value
                if "Max-Age=0" in line:
                    del self.cookies[name]
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()
