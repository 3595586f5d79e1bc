from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from sqlalchemy import select

from make_metrics.server.pages.app import VIEWS
from make_metrics.server.projects.projects import add_project, change_project, list_projects
from make_metrics.server.projects.tokens import add_token, delete_token
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.tables import EVENTS, SESSIONS, TOKENS
from tests.support.team_pages import PROJECT, Team, deliver, team_messages
from tests.support.team_receiver import basic, message, post_batch
from tests.support.team_site import Client, site

HOSTILE = (
    "<script>alert(1)</script>",
    "'; DROP TABLE events; --",
    "../../etc/passwd",
    "%00",
    "x\r\nSet-Cookie: a=b",
    "{{ 7 * 7 }}",
    "\u202egnp.exe",
    "=1+1",
    "é" * 190,
)


@pytest.fixture(scope="module")
def client(looked_at: Team) -> Iterator[Client]:
    """A client that is logged in at the site of a team."""
    with site(looked_at.database) as url:
        client = Client(url)
        assert client.login(add_token(looked_at.database, None)).status == 303
        yield client


def port_of(client: Client) -> int:
    return int(client.url.rpartition(":")[2])


class Links(HTMLParser):
    """The addresses and scripts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links, self.loaded, self.inline = list[str](), list[str](), 0
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if tag == "a":
            self.links.append(values["href"])
        if tag in ("script", "img", "link", "iframe"):
            self.loaded.append(values.get("src", values.get("href", "")))
        self.inline += any(name.startswith("on") or name == "style" for name in values)
        self.inline += tag == "style" or (tag == "script" and "src" not in values)


def test_each_page_answers_with_headers_that_let_nothing_else_run(client: Client) -> None:
    for name in VIEWS:
        answer = client.get(f"/projects/1/{name}")
        assert answer.status == 200
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        found = Links(answer.body.decode())
        assert found.inline == 0
        assert all(address.startswith("/static/") for address in found.loaded)
        for address in found.loaded:
            file = client.get(address)
            assert (file.status, "immutable" in file.headers["cache-control"]) == (200, True)


def test_every_link_of_every_page_leads_somewhere(client: Client) -> None:
    seen, wanted = set[str](), [f"/projects/1/{name}?days=91" for name in VIEWS]
    while wanted and len(seen) < 120:
        address = wanted.pop()
        if address in seen:
            continue
        seen.add(address)
        answer = client.get(address)
        assert answer.status in (200, 303), address
        if answer.headers["content-type"].startswith("text/html") and answer.status == 200:
            links = Links(answer.body.decode()).links
            wanted += [
                link if link.startswith("/") else f"/projects/1/{link}"
                for link in links
                if not link.startswith("#") and "/" not in link.partition("?")[0].lstrip("/")
            ]
    assert sum("csv=" in address for address in seen) > 8


def test_filters_stay_in_the_links_of_a_page(client: Client) -> None:
    query = "days=91&system=linux&jobs=4&branch=default&goal=yes"
    text = client.get(f"/projects/1/time?{query}").body.decode()
    for link in Links(text).links:
        if link.partition("?")[0] in VIEWS and link != "time":
            assert all(part in link.replace("&amp;", "&") for part in query.split("&")), link


def test_csv_has_what_the_table_has(client: Client) -> None:
    answer = client.get("/projects/1/time?days=91&csv=targets")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="time-targets.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    shown = re.findall(r'<bdi class="name">([^<]+)</bdi>', client.get("/projects/1/time?days=91").body.decode())
    assert [row["target"] for row in rows] == shown
    assert int(rows[0]["own_ms"]) >= int(rows[-1]["own_ms"])
    assert client.get("/projects/1/time?csv=no").status == 404


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "name", ["days", "until", "system", "driver", "jobs", "branch", "goal", "target", "run", "csv"]
)
def test_a_hostile_link_is_a_page_in_which_it_is_text(client: Client, name: str, value: str) -> None:
    from urllib.parse import urlencode

    answer = client.get(f"/projects/1/target?{urlencode({name: value})}")
    assert answer.status in (200, 400, 404)
    assert b"<script>alert" not in answer.body
    assert b"\xe2\x80\xae" not in answer.body  # the character that turns the direction of writing
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("date", ["1969-12-31", "9999-12-31"])
def test_a_date_that_is_too_early_or_too_late_is_said(client: Client, date: str) -> None:
    answer = client.get(f"/projects/1/time?until={date}")
    assert answer.status == 400
    assert b"until must be a date between 1970 and 2243" in answer.body


@pytest.mark.parametrize(
    "path",
    ["/projects/2/time", "/projects/1/nothing", "/projects/1/../../etc/passwd", "/projects/99999999999999999999/time",
     "/static/x/pages.css", "/static/../app.py", "/projects/-1/time", "/projects/1/time/"],
)  # fmt: skip
def test_what_is_not_there_is_not_found(client: Client, path: str) -> None:
    assert client.get(path).status in (404, 307, 400)


def test_only_reading_is_possible(client: Client) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert client._ask(method, "/projects/1/time", b"", {}).status == 405


def test_nobody_looks_without_a_token(client: Client) -> None:
    stranger = Client(client.url)
    for path in ("/", "/projects/1", *(f"/projects/1/{name}" for name in VIEWS), "/projects/1/time?csv=targets"):
        answer = stranger.get(path)
        assert answer.status == 303
        assert answer.headers["location"].startswith("/login")
        assert not answer.body
    stranger.cookies = dict.fromkeys(client.cookies, "x" * 43)
    assert stranger.get("/projects/1/time").status == 303


def test_a_write_key_reads_nothing_and_a_token_writes_nothing(client: Client, looked_at: Team) -> None:
    (project,) = (each for each in list_projects(looked_at.database) if each.name == PROJECT)
    stranger = Client(client.url)
    assert stranger.login(project.keys[0]).status == 401
    assert stranger.get("/projects/1/time", **basic(project.keys[0])).status == 303
    token = add_token(looked_at.database, None)
    sent = message(team_messages(1, 1)[0]["anonymousId"])
    assert post_batch(port_of(client), token, [sent]).status == 401
    with looked_at.database.reading() as connection:
        assert not connection.execute(select(EVENTS).where(EVENTS.c.message_id == sent["messageId"])).all()


def test_a_token_of_one_project_shows_no_other(database: Database) -> None:
    add_project(database, PROJECT)
    add_project(database, "hidden-team")
    with site(database) as url:
        client = Client(url)
        client.login(add_token(database, PROJECT))
        assert client.get("/").headers["location"] == "/projects/1/time"
        assert client.get("/projects/2/time").status == 404
        assert b"hidden-team" not in client.get("/projects/1/time").body
        everything = Client(url)
        everything.login(add_token(database, None))
        assert b"hidden-team" in everything.get("/").body
        assert everything.get("/projects/2/time").status == 200


def test_logging_out_ends_the_session_and_needs_the_forms_secret(looked_at: Team) -> None:
    with site(looked_at.database) as url:
        client = Client(url)
        client.login(add_token(looked_at.database, None))
        (secret,) = re.findall(r'name="secret" value="([0-9a-f]+)"', client.get("/projects/1/time").body.decode())
        kept = dict(client.cookies)
        assert client.post("/logout", {}).status == 403
        assert client.post("/logout", {"secret": "0" * 64}).status == 403
        assert client.post("/logout", {"secret": secret}, Origin="http://evil.example").status == 403
        assert client.post("/logout", {"secret": secret}, Sec_Fetch_Site="cross-site").status == 403
        assert client.get("/projects/1/time").status == 200
        assert client.post("/logout", {"secret": secret}, Origin=url).status == 303
        assert not client.cookies
        # The cookie was not only forgotten: it is worth nothing any more.
        assert Client(url, kept).get("/projects/1/time").status == 303


def test_a_deleted_token_lets_nobody_in_any_more(looked_at: Team) -> None:
    with site(looked_at.database) as url:
        client, token = Client(url), add_token(looked_at.database, None)
        client.login(token)
        assert client.get("/projects/1/time").status == 200
        delete_token(looked_at.database, token.split("_")[1])
        assert client.get("/projects/1/time").status == 303


def test_a_login_goes_on_to_where_one_wanted_to_go_but_not_to_other_sites(looked_at: Team) -> None:
    token = add_token(looked_at.database, None)
    with site(looked_at.database) as url:
        asked = Client(url).get("/projects/1/use?days=91").headers["location"]
        assert asked == "/login?next=%2Fprojects%2F1%2Fuse%3Fdays%3D91"
        for following, to in (
            ("/projects/1/use?days=91", "/projects/1/use?days=91"),
            ("//evil.example/", "/"),
            ("/\\evil.example", "/"),
            ("https://evil.example", "/"),
            ("/x\r\nSet-Cookie: a=b", "/"),
        ):
            answer = Client(url).post("/login", {"token": token, "next": following})
            assert (answer.status, answer.headers["location"]) == (303, to)
        assert Client(url).login(token, Origin="http://evil.example").status == 403
        # The address that `serve` prints: the token does not stay in the browser's line.
        answer = Client(url).get(f"/login?token={token}")
        assert (answer.status, answer.headers["location"]) == (303, "/")


def test_tokens_and_cookies_are_kept_as_hashes_only(looked_at: Team) -> None:
    token = add_token(looked_at.database, None)
    with site(looked_at.database) as url:
        client = Client(url)
        client.login(token)
    (cookie,) = client.cookies.values()
    with looked_at.database.reading() as connection:
        kept = repr(connection.execute(select(TOKENS)).all()) + repr(connection.execute(select(SESSIONS)).all())
    assert token.split("_", 2)[2] not in kept
    assert cookie not in kept


def test_a_header_counts_only_from_the_proxy_that_is_named(looked_at: Team) -> None:
    with site(looked_at.database, user_header="X-Remote-User", proxies=("127.0.0.1",)) as url:
        assert Client(url).get("/projects/1/time", X_Remote_User="ann").status == 200
        assert Client(url).get("/projects/1/time").status == 303
        assert Client(url).get("/projects/1/time", X_Remote_User=" ").status == 303
        assert Client(url).get("/projects/1/time", Remote_User="ann").status == 303
    with site(looked_at.database, user_header="X-Remote-User", proxies=("10.0.0.1",)) as url:
        assert Client(url).get("/projects/1/time", X_Remote_User="ann", X_Forwarded_For="10.0.0.1").status == 303
    with site(looked_at.database) as url:
        assert Client(url).get("/projects/1/time", X_Remote_User="ann").status == 303


@pytest.mark.parametrize("looked_at", ["sqlite"], indirect=True)
def test_ten_thousand_wrong_tokens_are_throttled_and_change_nothing(looked_at: Team) -> None:
    token = add_token(looked_at.database, None)
    start = token[:-1]
    with site(looked_at.database) as url:
        inside = Client(url)
        inside.login(token)
        from http.client import HTTPConnection

        connection = HTTPConnection(url.removeprefix("http://"), timeout=60)
        statuses: dict[int, int] = {}
        begun = time.monotonic()
        for number in range(10_000):
            wrong = f"{start}{'!' if number % 2 else ''}" if number % 3 else f"mmv_{number:012x}_{'x' * 32}"
            body = f"token={wrong}"
            connection.request("POST", "/login", body, {"Content-Type": "application/x-www-form-urlencoded"})
            answer = connection.getresponse()
            answer.read()
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            if answer.status == 429:
                assert int(answer.headers["Retry-After"]) >= 1
        connection.close()
        assert statuses.keys() == {401, 429}
        assert statuses[401] <= 20 + 0.5 * (time.monotonic() - begun) + 1
        # Whoever is inside goes on.
        assert inside.get("/projects/1/time").status == 200


def test_a_form_is_bounded(client: Client) -> None:
    assert client.post("/login", {"token": "x" * 10_000}).status == 413
    assert client.post("/logout", {f"field{number}": "" for number in range(300)}).status in (400, 403, 413)


def test_the_page_says_what_is_hidden_and_shows_it_where_that_is_wanted(database: Database) -> None:
    add_project(database, PROJECT)
    deliver(database, team_messages(4, 60, people=2), 4)
    with site(database) as url:
        client = Client(url)
        client.login(add_token(database, None))
        text = client.get("/projects/1/time?days=91").body.decode()
        assert "fewer than 3 people stand behind each" in text
        assert "there is no page of one person" in text
        assert '<bdi class="name">' not in text
        change_project(database, PROJECT, smallest_group=0)
        assert '<bdi class="name">all</bdi>' in client.get("/projects/1/time?days=91").body.decode()
