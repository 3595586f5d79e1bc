"""Erasure: what a receiver holds of an id goes when its owner asks, also after an outage, and also much later."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from make_metrics.consent import notice
from make_metrics.erasure import requested
from make_metrics.files.paths import Paths
from make_metrics.project import settings
from make_metrics.project.project import project_of
from tests.support.project import until
from tests.support.sharing_project import TEXT, Sharing
from tests.support.team_receiver import Forked, sqlite_url, wait_ready


class Team:
    """A project that sends to a receiver of ours."""

    def __init__(self, sharing: Sharing, url: str) -> None:
        self.sharing, self.url, self.receiver = sharing, url, Forked(url)
        self.start()
        key = sharing.cli("server", "project", "add", "a", "--database", url).split('write-key = "')[1].split('"')[0]
        self.write(key)

    def write(self, key: str, more: str = "erasure = true\n") -> None:
        table = (
            f'[[sinks]]\ntype = "segment"\nhost = "http://127.0.0.1:{self.receiver.port}"\nwrite-key = "{key}"\n{more}'
        )
        (self.sharing.project.folder / settings.NAME).write_text(TEXT + table)

    def start(self) -> None:
        self.receiver.start()
        wait_ready(self.receiver.port)

    def send(self) -> str:
        """Say yes, make, and send; the id."""
        self.sharing.cli("opt-in", "--yes")
        self.sharing.make("all")
        self.sharing.cli("flush")
        return str(self.sharing.status()["id"])

    def held(self) -> set[str]:
        """The ids that the receiver holds."""
        lines = self.sharing.cli("server", "export", "a", "--database", self.url).splitlines()
        return {json.loads(line)["anonymousId"] for line in lines}

    def requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.sharing.status()["erasures"]
        return found


@pytest.fixture
def team(sharing: Sharing, tmp_path: Path) -> Iterator[Team]:
    team = Team(sharing, sqlite_url(tmp_path))
    yield team
    team.receiver.kill()


def test_opt_out_erases_when_it_is_asked_to(team: Team) -> None:
    person = team.send()
    assert team.held() == {person}
    said = team.sharing.cli("opt-out", "--erase")
    assert "deleted, 2 events" in said
    assert team.held() == set()
    (request,) = team.requests()
    assert (request["answered"], request["result"]) == (True, "deleted, 2 events")
    assert "deleted, 2 events" in team.sharing.cli("status")
    # The id is nowhere any more but in what was sent, which the ledger keeps.
    config = Paths.from_environment().config
    assert not any(person.encode() in path.read_bytes() for path in config.rglob("*") if path.is_file())


def test_a_receiver_that_is_away_is_asked_again(team: Team) -> None:
    person = team.send()
    team.receiver.kill()
    said = team.sharing.cli("opt-out", "--erase")
    assert "the receiver cannot be reached" in said
    assert team.sharing.status()["id"] is None
    (request,) = team.requests()
    assert not request["answered"]
    assert "make-metrics erase asks again" in team.sharing.cli("status")
    team.sharing.cli("flush", status=1)
    team.start()
    assert team.held() == {person}
    assert "deleted, 2 events" in team.sharing.cli("flush")
    assert team.held() == set()
    assert team.requests()[0]["answered"]


def test_any_command_that_reads_asks_again_after_a_rest(team: Team) -> None:
    person = team.send()
    paths = Paths.from_environment()
    team.receiver.kill()
    team.sharing.cli("opt-out", "--erase")
    team.start()
    team.sharing.cli("report")
    assert team.held() == {person}  # it was tried moments ago
    (request,) = requested.read_all(paths, now_ns=time.time_ns())
    requested.note(paths, request, result=request.result, is_done=False, now_ns=1)
    for more in ({"DO_NOT_TRACK": "1"}, {"MAKE_METRICS": "log"}, {"MAKE_METRICS": "off"}):
        team.sharing.cli("report", environ=more)
        assert team.held() == {person}
    team.sharing.cli("runs")
    assert team.held() == set()
    assert team.requests()[0]["answered"]


def test_a_later_sender_asks_again(team: Team, tmp_path: Path) -> None:
    person = team.send()
    paths = Paths.from_environment()
    team.sharing.cli("opt-out")
    requested.put(
        paths, team.sharing.project.folder.as_posix(), f"http://127.0.0.1:{team.receiver.port}", person, now_ns=1
    )
    team.sharing.cli("opt-in", "--yes")
    team.sharing.make("all", MAKE_METRICS_SENDER="detached")
    until(lambda: all(erasure.is_done for erasure in requested.read_all(paths, now_ns=2)))
    assert person not in team.held()


def test_a_yes_that_was_withdrawn_earlier_is_erased_too(team: Team) -> None:
    first = team.send()
    said = team.sharing.cli("opt-out")
    assert "make-metrics erase asks" in said
    second = team.send()
    team.sharing.cli("opt-out")
    assert team.held() == {first, second}
    assert team.sharing.cli("erase").count("deleted") == 2
    assert team.held() == set()
    assert team.sharing.cli("erase").count("deleted, 0 events") == 2


def test_a_yes_that_stands_goes_on_with_a_new_id(team: Team) -> None:
    first = team.send()
    said = team.sharing.cli("erase")
    assert "Your yes stands, with a new id" in said
    second = team.sharing.status()["id"]
    assert second not in (None, first)
    assert team.held() == set()
    team.sharing.make("b")
    team.sharing.cli("flush")
    assert team.held() == {second}


def notice_of(team: Team) -> str:
    found = project_of(team.sharing.project.folder).settings
    assert found is not None
    return notice.text(found, ())


def test_who_cannot_erase_is_not_asked_and_the_notice_says_which(team: Team) -> None:
    assert "deletes what it holds of your id if you ask" in notice_of(team)
    team.write("key", more="")
    assert "No receiver says that it can delete what it holds of your id" in notice_of(team)
    team.sharing.cli("erase", status=1)
    assert "ask The example team" in team.sharing.errors
    team.sharing.cli("opt-out", "--erase", status=1)
    assert (team.requests(), team.sharing.status()["decision"]) == ([], "no")  # the no holds all the same


def test_nothing_leaves_where_the_settings_only_print(team: Team) -> None:
    person = team.send()
    said = team.sharing.cli("opt-out", "--erase", environ={"MAKE_METRICS": "log"})
    assert f'{{"anonymousId": "{person}"}}' in said
    assert team.held() == {person}


def test_without_anything_sent_it_says_so(team: Team) -> None:
    assert "Nothing is known here" in team.sharing.cli("erase")


def test_a_damaged_request_costs_itself_only(team: Team) -> None:
    paths = Paths.from_environment()
    team.send()
    team.sharing.cli("opt-out", "--erase")
    for number, content in enumerate((b"", b"{}", b"[1]", b'{"name": 1}', b"\xff" * 100, b"[" * 100_000)):
        (paths.erasures / f"{number:016}.json").write_bytes(content)
    assert len(team.requests()) == 1
    team.sharing.cli("flush")
