"""Viewing tokens: only the right one lets in, and nothing of it is kept."""

from __future__ import annotations

import statistics
import time

import pytest
from sqlalchemy import select

from make_metrics.errors import UserError
from make_metrics.server.projects.projects import add_project
from make_metrics.server.projects.tokens import add_token, check_token, delete_token, list_tokens
from make_metrics.server.storage.database import Database
from make_metrics.server.storage.tables import SESSIONS, TOKENS


def test_a_token_lets_in_to_its_project_or_to_all(database: Database) -> None:
    add_project(database, "a")
    of_a, of_all = check_token(database, add_token(database, "a")), check_token(database, add_token(database, None))
    assert of_a is not None
    assert of_all is not None
    assert (of_a.project, of_all.project) == (1, None)
    with pytest.raises(UserError, match="there is no project b"):
        add_token(database, "b")


def test_any_other_text_does_not(database: Database) -> None:
    key = add_project(database, "a")
    token = add_token(database, "a")
    wrong = [
        token[:-1],
        token + "x",
        token.upper(),
        "",
        "mmv_",
        key,
        token[:17] + "A" * 32,
        "x" * 10_000,
        "\0",
        "' OR 1=1",
    ]
    assert [check_token(database, text) for text in wrong] == [None] * len(wrong)


def test_the_secret_is_not_kept(database: Database) -> None:
    secret = add_token(database, None).split("_", 2)[2]
    with database.reading() as connection:
        row = connection.execute(select(TOKENS)).one()
    assert secret.encode() not in b"".join(value if isinstance(value, bytes) else str(value).encode() for value in row)


def test_a_right_id_is_not_told_from_a_wrong_one_by_time(database: Database) -> None:
    token = add_token(database, None)
    near, far = token[:-1] + ("A" if token[-1] != "A" else "B"), "mmv_000000000000_" + "A" * 32

    def took(text: str) -> float:
        begun = time.process_time()
        check_token(database, text)
        return time.process_time() - begun

    took(near)
    times = [(took(near), took(far)) for _ in range(7)]
    assert 0.4 < statistics.median(n for n, _ in times) / statistics.median(f for _, f in times) < 2.5


def test_wrong_tokens_cost_no_slow_hash(database: Database) -> None:
    token = add_token(database, None)
    check_token(database, token)

    def took(texts: list[str]) -> float:
        begun = time.process_time()
        for text in texts:
            check_token(database, text)
        return time.process_time() - begun

    start = token[: -len("00000")]
    assert took([f"{start}{number:05}" for number in range(200)]) < 100 * took([token])


def test_a_deleted_token_logs_out(database: Database) -> None:
    token = add_token(database, None)
    token_id = token.split("_")[1]
    with database.writing() as connection:
        connection.execute(SESSIONS.insert().values(id="s", token=token_id, until_us=2**60))
    assert [entry[0] for entry in list_tokens(database)] == [token_id]
    delete_token(database, token_id)
    assert check_token(database, token) is None
    with database.reading() as connection:
        assert connection.execute(select(SESSIONS)).all() == []
    with pytest.raises(UserError, match="there is no token"):
        delete_token(database, token_id)
