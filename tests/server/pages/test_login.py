"""Who may look: the right token lets in, whatever strangers try meanwhile."""

from __future__ import annotations

import threading
import time

from make_metrics.server.projects.tokens import add_token
from make_metrics.server.storage.database import Database
from tests.support.team_site import Client, site

_STRANGERS = 8


def test_a_right_token_lets_in_while_wrong_ones_are_throttled(database: Database) -> None:
    token = add_token(database, None)
    with site(database) as url:
        ended, statuses = threading.Event(), list[int]()

        def guess(number: int) -> None:
            tried = 0
            while not ended.is_set():
                tried += 1
                start = token if tried % 2 else f"mmv_{number:012x}_"
                statuses.append(Client(url).login(f"{start[: -8 if tried % 2 else None]}{tried:08}").status)

        strangers = [threading.Thread(target=guess, args=(number,)) for number in range(_STRANGERS)]
        for stranger in strangers:
            stranger.start()
        try:
            until = time.monotonic() + 60
            while statuses.count(429) < 100:
                assert time.monotonic() < until
                time.sleep(0.01)
            for _ in range(5):
                client = Client(url)
                assert client.login(token).status == 303
                assert client.get("/").status == 200
        finally:
            ended.set()
            for stranger in strangers:
                stranger.join()
        assert set(statuses) == {401, 429}
