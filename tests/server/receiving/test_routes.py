"""The receiver's addresses, over real connections: answers, limits, and what hostile clients get."""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import socket
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from sqlalchemy import select

from make_metrics.server.projects import keys
from make_metrics.server.projects.projects import add_project, set_disabled
from make_metrics.server.receiving import routes
from make_metrics.server.storage.database import Database, open_database
from make_metrics.server.storage.tables import METADATA
from tests.support.postgresql import Server
from tests.support.project import until
from tests.support.team_receiver import (
    Forked,
    Served,
    basic,
    message,
    messages,
    post_batch,
    request,
    served,
    sqlite_url,
    wait_ready,
)
from tests.support.team_site import site
from tests.support.team_store import count

PERSON = "2f4a3a0e-6b0c-4d34-9c3a-0f2a51b9d7e1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("receiver")


@pytest.fixture(scope="module")
def receiver(folder: Path) -> Iterator[Served]:
    with served(sqlite_url(folder)) as receiver:
        yield receiver


@pytest.fixture
def held(folder: Path, receiver: Served) -> Iterator[Database]:
    database = open_database(sqlite_url(folder))
    yield database
    database.close()


def test_a_batch_is_stored_when_it_is_answered(receiver: Served, held: Database) -> None:
    before = count(held)
    answer = post_batch(receiver.port, receiver.key, messages(100), packed=True)
    assert (answer.status, answer.document) == (200, {"success": True})
    assert count(held) == before + 100


def test_a_track_call_is_stored_and_the_key_may_be_in_the_body(receiver: Served, held: Database) -> None:
    before = count(held)
    one = {**message(PERSON), "writeKey": receiver.key}
    assert request(receiver.port, "POST", "/v1/track", json.dumps(one).encode()).status == 200
    both = {"batch": [message(PERSON)], "writeKey": receiver.key}
    assert request(receiver.port, "POST", "/v1/batch", json.dumps(both).encode()).status == 200
    assert count(held) == before + 2


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'"x"', b'{"batch": 1}', b"{}", b"\xff", b"[" * 100_000, b'{"batch": [], "writeKey": 3}'],
)
def test_a_body_that_is_no_batch_is_refused(receiver: Served, body: bytes) -> None:
    answer = request(receiver.port, "POST", "/v1/batch", body, basic(receiver.key))
    assert (answer.status, answer.document["success"]) == (400, False)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/v1/batch", "/v1/track", "/v1/erase"])
def test_other_methods_are_not_allowed(receiver: Served, method: str, path: str) -> None:
    assert request(receiver.port, method, path).status == 405


@pytest.mark.parametrize(
    "path", ["/v1/batch/../erase", "/v1//batch", "/..%2f..%2fetc/passwd", "/%00", "/v1/batch%0d%0aX:%20y"]
)
def test_tricks_with_paths_lead_nowhere(receiver: Served, path: str) -> None:
    answer = request(receiver.port, "POST", path, b"{}", basic(receiver.key))
    assert answer.status in (303, 404, 405)
    assert "x" not in answer.headers


def test_a_wrong_key_stores_nothing_and_guessing_is_slowed_down(receiver: Served, held: Database) -> None:
    before = count(held)
    first = post_batch(receiver.port, "wrong", [message(PERSON)])
    assert first.headers["www-authenticate"].startswith("Basic")
    statuses = {first.status}

    def is_slowed_down() -> bool:
        answer = post_batch(receiver.port, "wrong", [message(PERSON)])
        statuses.add(answer.status)
        return answer.status == 429 and int(answer.headers["retry-after"]) >= 1

    def passes() -> bool:
        return post_batch(receiver.port, receiver.key, [message(PERSON)]).status == 200

    until(is_slowed_down)
    assert statuses == {401, 429}
    assert count(held) == before

    def passes_where_a_guess_does_not() -> bool:
        until(passes)
        until(is_slowed_down)
        return passes()

    until(passes_where_a_guess_does_not)  # not at once if all that takes longer than a key is remembered
    assert count(held) > before


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic " + "A" * 5_000,
        "Bearer x",
        "Basic JzsgRFJPUCBUQUJMRSBwcm9qZWN0czstLTo=",  # '; DROP TABLE projects;--:
        "basic AAA6",
    ],
)
def test_a_key_of_another_form_is_no_key(receiver: Served, header: str) -> None:
    answer = request(receiver.port, "POST", "/v1/batch", b'{"batch": []}', {"Authorization": header})
    assert answer.status in (401, 429)


def test_a_viewing_token_does_not_write(receiver: Served) -> None:
    assert post_batch(receiver.port, receiver.token, [message(PERSON)]).status in (401, 429)


def test_a_disabled_project_takes_nothing(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path))
    key = add_project(database, "a")
    set_disabled(database, "a", disabled=True)
    with served(sqlite_url(tmp_path)) as receiver:
        assert post_batch(receiver.port, key, [message(PERSON)]).status == 403
    assert count(database) == 0
    database.close()


def test_a_batch_has_bounds(receiver: Served) -> None:
    padding = "x" * 500
    many = [{**message(PERSON), "context": padding} for _ in range(700)]
    assert post_batch(receiver.port, receiver.key, many).status == 413
    assert post_batch(receiver.port, receiver.key, many, packed=True).status == 413
    assert post_batch(receiver.port, receiver.key, [1] * 1_001).status == 413
    # A length that is said is enough: the body is not waited for.
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=20) as connection:
        head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: {basic(receiver.key)['Authorization']}\r\n"
        connection.sendall(f"{head}Content-Length: 99999999999\r\n\r\n".encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_a_gzip_bomb_costs_little(receiver: Served) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(b"0" * 1_000_000) for _ in range(400)) + packer.flush()
    assert len(bomb) < 500_000
    process = psutil.Process(receiver.process.pid)
    before = process.memory_info().rss
    headers = {**basic(receiver.key), "Content-Encoding": "gzip"}
    assert [request(receiver.port, "POST", "/v1/batch", bomb, headers).status for _ in range(5)] == [413] * 5
    assert process.memory_info().rss - before < 30_000_000


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (b"no gzip", "gzip", 400),
        (gzip.compress(b'{"batch": []}')[:-4], "gzip", 400),
        (gzip.compress(b'{"batch": []}') + b"more", "gzip", 400),
        (gzip.compress(gzip.compress(b'{"batch": []}')), "gzip", 400),
        (b'{"batch": []}', "br", 415),
        (b'{"batch": []}', "gzip, gzip", 415),
        (b'{"batch": []}', "identity", 200),
        (gzip.compress(b'{"batch": []}'), "GZIP", 200),
    ],
    ids=["none", "torn", "and-more", "twice", "brotli", "two", "identity", "capitals"],
)
def test_encodings(receiver: Served, body: bytes, encoding: str, status: int) -> None:
    headers = {**basic(receiver.key), "Content-Encoding": encoding}
    assert request(receiver.port, "POST", "/v1/batch", body, headers).status == status


def test_an_endless_body_is_cut_off(receiver: Served) -> None:
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=20) as connection:
        head = f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nAuthorization: {basic(receiver.key)['Authorization']}\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        sent = 0
        try:
            while sent < 50_000_000:
                connection.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
                sent += 0x10000
        except OSError:
            pass
        assert sent < 20_000_000


def test_header_injection_and_broken_requests_are_answered_and_forgotten(receiver: Served) -> None:
    for raw in (
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\x00b\r\n\r\n",
        b"GET /healthz\r\n\r\n",
        b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20,
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", receiver.port), timeout=20) as connection:
            try:
                connection.sendall(raw)
                answer = connection.recv(1_000)
            except ConnectionError:
                answer = b""
            assert answer == b"" or re.match(rb"HTTP/1.1 (400|401|404|414|431)", answer), (raw[:60], answer)
    receiver.ready()


HOSTILE = [
    "'; DROP TABLE events; --", "' OR '1'='1", "<script>alert(1)</script>", "\0", "\x1b[31m", "\u202eabc",
    "a\r\nSet-Cookie: x=y", "%s %n", "{{7*7}}", "\ud800", "😀" * 60, "../../etc/passwd",
]  # fmt: skip


def test_hostile_texts_in_every_field_change_and_store_nothing(receiver: Served, held: Database) -> None:
    before = {name: count(held, table) for name, table in METADATA.tables.items()}
    sample = message(PERSON)
    batch: list[dict[str, Any]] = []
    for text in HOSTILE:
        batch += [
            {**message(PERSON), field: text} for field in ("event", "anonymousId", "messageId", "timestamp", "type")
        ]
        for name in sample["properties"]:
            changed = message(PERSON)
            changed["properties"][name] = text
            batch.append(changed)
        changed = message(PERSON)
        changed["properties"][text] = text
        batch.append(changed)
    for start in range(0, len(batch), 200):
        assert post_batch(receiver.port, receiver.key, batch[start : start + 200]).status == 200
    with held.reading() as connection:
        for name, table in METADATA.tables.items():
            for row in connection.execute(select(table)):
                for value in row:
                    assert not (isinstance(value, str) and any(text in value for text in HOSTILE)), (name, row)
    assert count(held) > before["events"]


def test_a_right_key_and_id_are_taken_while_wrong_ones_are_throttled(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_REMEMBERED_S", 0.0)  # else a key passes unseen
    monkeypatch.setattr(routes, "_WRONG_KEYS", (2, 0.001))
    monkeypatch.setattr(routes, "_UNKNOWN_IDS", (2, 0.001))
    key = add_project(database, "a")
    with site(database) as url:
        port = int(url.rpartition(":")[2])
        assert [post_batch(port, "wrong", []).status for _ in range(4)] == [401, 401, 429, 429]
        assert post_batch(port, key, [message(PERSON)]).status == 200
        ids = [*(str(uuid.uuid4()) for _ in range(4)), PERSON]
        erasures = [json.dumps({"anonymousId": each}).encode() for each in ids]
        answers = [request(port, "POST", "/v1/erase", body) for body in erasures]
        assert [answer.status for answer in answers] == [200, 200, 429, 429, 200]
        assert answers[-1].document == {"success": True, "erased": 1}


def test_erasing_needs_the_id_and_nothing_else(receiver: Served, held: Database) -> None:
    person = "7d1e0a52-93a4-4a38-8e5e-0a8c31b4b7aa"
    assert post_batch(receiver.port, receiver.key, [message(person) for _ in range(4)]).status == 200
    answer = request(receiver.port, "POST", "/v1/erase", json.dumps({"anonymousId": person}).encode())
    assert (answer.status, answer.document) == (200, {"success": True, "erased": 4})
    again = request(receiver.port, "POST", "/v1/erase", json.dumps({"anonymousId": person}).encode())
    assert again.document == {"success": True, "erased": 0}
    for wrong in (
        "{}",
        "[]",
        '{"anonymousId": 1}',
        '{"anonymousId": "%"}',
        '{"anonymousId": "7D1E0A52-93A4-4A38-8E5E-0A8C31B4B7AA"}',
    ):
        assert request(receiver.port, "POST", "/v1/erase", wrong.encode()).status == 400


def test_slow_clients_are_let_go_and_hold_up_nobody(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path))
    key = add_project(database, "a")
    database.close()
    receiver = Forked(sqlite_url(tmp_path), tick_s=0.2)
    receiver.start()
    try:
        wait_ready(receiver.port)
        slow = [socket.create_connection(("127.0.0.1", receiver.port), timeout=30) for _ in range(50)]
        for connection in slow:
            connection.sendall(b"POST /v1/batch HTTP/1.1\r\nHo")
        slow += [socket.create_connection(("127.0.0.1", receiver.port), timeout=30) for _ in range(2)]
        slow[-1].sendall(f"POST /v1/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n{_line(key)}\r\n\r\n[".encode())
        assert post_batch(receiver.port, key, [message(PERSON)]).status == 200
        for connection in slow:
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(100) == b""  # the receiver has closed it
            connection.close()
    finally:
        receiver.kill()


def _line(key: str) -> str:
    return f"Authorization: {basic(key)['Authorization']}"


def test_numbers_are_prometheus_text(receiver: Served) -> None:
    answer = request(receiver.port, "GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    line = re.compile(r'(# (HELP|TYPE) .+|[a-z_]+(\{[a-z]+="[^"\n]*"(,[a-z]+="[^"\n]*")*\})? [0-9.e+-]+)')
    for text in answer.body.decode().splitlines():
        assert line.fullmatch(text), text
    assert 'make_metrics_events_total{result="stored"}' in answer.body.decode()


def test_no_address_is_logged(tmp_path: Path) -> None:
    with served(sqlite_url(tmp_path)) as receiver:
        post_batch(receiver.port, receiver.key, [message(PERSON)])
        post_batch(receiver.port, "wrong", [message(PERSON)])
        with socket.create_connection(("127.0.0.1", receiver.port)) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            connection.recv(100)
        said = receiver.end()
    assert "127.0.0.1" not in said


def test_without_the_database_the_sender_is_told_to_come_again(postgresql_server: Server) -> None:
    with served(postgresql_server.create()) as receiver:
        assert post_batch(receiver.port, receiver.key, [message(PERSON)]).status == 200
        postgresql_server.kill()
        try:
            answer = post_batch(receiver.port, receiver.key, [message(PERSON)])
            assert (answer.status, int(answer.headers["retry-after"])) == (503, 5)
            ready = request(receiver.port, "GET", "/readyz")
            assert (ready.status, request(receiver.port, "GET", "/healthz").status) == (503, 200)
        finally:
            postgresql_server.start()
        receiver.ready()
        assert post_batch(receiver.port, receiver.key, [message(PERSON)]).status == 200


def test_a_full_disk_is_a_503_and_nothing_is_lost(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path)
    with served(url) as receiver:
        database = open_database(url)
        assert post_batch(receiver.port, receiver.key, messages(100)).status == 200
        stored = count(database)
        database.close()
        # The file may not grow any more, as on a full disk: RLIMIT_FSIZE of the running process.
        import resource

        size = max(path.stat().st_size for path in tmp_path.iterdir())
        resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        batch = messages(400, seed=5)
        answers = {post_batch(receiver.port, receiver.key, batch).status for _ in range(5)}
        resource.prlimit(receiver.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert 503 in answers
        assert post_batch(receiver.port, receiver.key, batch).status == 200
        database = open_database(url)
        assert count(database) == stored + 400
        database.close()
