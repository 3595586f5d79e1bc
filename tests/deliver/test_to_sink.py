"""Receivers that do not answer hold up no other, and are left alone for a while."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import ensure_id
from make_metrics.deliver.delivery import deliver
from make_metrics.deliver.to_sink import Delivered
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project, project_of
from make_metrics.store.outbox import Entry, Outbox, sink_id
from make_metrics.store.sending.resting import Resting
from tests.support.segment_receiver import Answer, Receiver, Request, receiving
from tests.support.sharing_project import TEXT
from tests.support.store import ask

Agree = Callable[..., Project]


@pytest.fixture
def paths(home: Path) -> Paths:
    assert home
    return Paths.from_environment()


@pytest.fixture
def silent() -> Iterator[list[Receiver]]:
    """Two receivers that take a request and never answer."""
    with contextlib.ExitStack() as stack:
        receivers = [stack.enter_context(receiving(made_up=True)) for _ in range(2)]
        for receiver in receivers:
            receiver.answers(*[Answer(deed="hang")] * 9)
        yield receivers


@pytest.fixture
def well() -> Iterator[Receiver]:
    with receiving(made_up=True) as receiver:
        yield receiver


@pytest.fixture
def agree(tmp_path: Path, paths: Paths) -> Agree:
    def agree(name: str, *hosts: str, count: int = 3) -> Project:
        """A project with a yes, sinks at these addresses or files, and messages that wait for each."""
        folder = tmp_path / name
        folder.mkdir()
        (folder / "make-metrics.toml").write_text(TEXT + "".join(map(sink, hosts)))
        project = project_of(folder)
        with consent.lock(paths):
            ensure_id(paths, project)
            consent.write_decision(paths, project, yes=True, now_ns=time.time_ns())
        ids = [f"{name}{number:04}" for number in range(count)]
        entries = [
            Entry(sink_id(each), project.path, number, {"messageId": number})
            for number in ids
            for each in project.sinks
        ]
        ask(paths, lambda connection: Outbox(connection).put(entries, now_ns=time.time_ns()))
        return project

    return agree


def sink(host: str) -> str:
    if host.endswith(".jsonl"):
        return f'[[sinks]]\ntype = "file"\nname = "{host.removesuffix(".jsonl")}"\n'
    return f'[[sinks]]\ntype = "segment"\nwrite-key = "key"\nhost = "{host}"\n'


def deliver_as_sender(paths: Paths, project: Project | None = None, *, timeout_s: float = 20) -> Delivered:
    return deliver(paths, {}, timeout_s=timeout_s, first=project.directory if project else None, patient=True)


def test_silent_receivers_before_a_third_do_not_hold_it_up(
    paths: Paths, agree: Agree, silent: list[Receiver], well: Receiver
) -> None:
    for name, receiver in zip("ab", silent, strict=True):
        agree(name, receiver.host)
    agree("c", well.host, "events.jsonl")
    delivered = deliver_as_sender(paths, timeout_s=4)  # less than one of the silent is waited for
    assert delivered.accepted == 6
    assert len(well.ids) == 3
    lines = (paths.files / "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["messageId"] for line in lines] == well.ids
    assert [len(receiver.requests) for receiver in silent] == [1, 1]


def test_more_silent_receivers_than_are_sent_to_at_once(paths: Paths, agree: Agree, well: Receiver) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(18):
            receiver = stack.enter_context(receiving(made_up=True))
            receiver.answers(*[Answer(deed="hang")] * 9)
            agree(f"a{number:02}", receiver.host, count=1)
        agree("y", "events.jsonl")
        own = agree("z", well.host)
        deliver_as_sender(paths, own, timeout_s=4)
        assert (len(well.ids), len((paths.files / "events.jsonl").read_text().splitlines())) == (3, 3)


def test_a_receiver_that_failed_rests_for_senders_until_it_answers(paths: Paths, agree: Agree, well: Receiver) -> None:
    agree("a", well.host)
    well.answers(500)
    assert "answered 500" in deliver_as_sender(paths).problems[0]
    (problem,) = deliver_as_sender(paths).problems
    assert f"{well.host} has failed: not tried again for 1" in problem
    assert len(well.requests) == 1
    assert deliver(paths, {}, timeout_s=20).accepted == 3  # a person who asks is not made to wait
    agree("b", well.host)
    assert deliver_as_sender(paths).accepted == 3


def test_a_receiver_that_failed_rests_for_every_project(paths: Paths, agree: Agree, well: Receiver) -> None:
    agree("a", well.host)
    agree("b", f"{well.host}/of-another-project")
    well.answers(503)
    assert len(deliver_as_sender(paths).problems) == 2
    assert len(well.requests) == 1


def test_a_wrong_key_of_one_project_lets_its_receiver_work_for_others(
    paths: Paths, agree: Agree, well: Receiver
) -> None:
    agree("a", well.host)
    agree("b", well.host)
    well.answers(401)
    assert deliver_as_sender(paths).accepted == 3
    assert ask(paths, lambda connection: Resting(connection).failures()) == {}


def test_a_receiver_that_had_no_time_has_not_failed(paths: Paths, agree: Agree, silent: list[Receiver]) -> None:
    agree("a", silent[0].host)
    assert deliver_as_sender(paths, timeout_s=0.5).problems
    assert ask(paths, lambda connection: Resting(connection).failures()) == {}


def test_a_silent_receiver_is_tried_once_in_a_delivery(paths: Paths, agree: Agree, silent: list[Receiver]) -> None:
    for name in "abc":
        agree(name, silent[0].host)
    assert len(deliver(paths, {}, timeout_s=50).problems) == 3
    assert len(silent[0].requests) == 1


def test_no_request_starts_after_a_no_while_several_are_under_way(
    paths: Paths, agree: Agree, silent: list[Receiver], well: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    projects = [agree(name, well.host, silent[0].host) for name in "ab"]
    take = Receiver.take

    def take_and_say_no(receiver: Receiver, request: Request) -> Answer:
        if receiver is well:
            for project in projects:
                with consent.lock(paths):
                    consent.write_decision(paths, project, yes=False, now_ns=time.time_ns())
        return take(receiver, request)

    monkeypatch.setattr(Receiver, "take", take_and_say_no)
    deliver_as_sender(paths)
    assert len(well.requests) == 1
    for project in projects:
        assert ask(paths, lambda connection, path=project.path: Outbox(connection).count(path)).events == 0  # type: ignore[misc]


def test_many_messages_arrive_page_by_page(paths: Paths, agree: Agree, well: Receiver) -> None:
    agree("a", "events.jsonl", count=4_500)
    assert deliver_as_sender(paths, timeout_s=100).accepted == 4_500
    lines = (paths.files / "events.jsonl").read_text().splitlines()
    assert len({json.loads(line)["messageId"] for line in lines}) == len(lines) == 4_500


PAGE = Answer(413, {"Content-Type": "text/html"}, b"<html>too large</html>")


def test_a_message_that_a_server_on_the_way_finds_too_large_holds_up_no_other(
    paths: Paths, agree: Agree, well: Receiver
) -> None:
    project = agree("a", well.host, count=4)
    well.answers(PAGE, 200, PAGE, PAGE, 200)  # all four; two; two; the third; the fourth
    delivered = deliver_as_sender(paths, project)
    assert (delivered.accepted, delivered.aside, delivered.problems) == (3, 1, [])
    assert well.ids == ["a0000", "a0001", "a0003"]
    reasons = ask(paths, lambda connection: Outbox(connection).refused(project.path))
    assert reasons == {"a server on the way takes no event of this size": 1}


def test_where_nothing_is_taken_at_all_a_page_sets_nothing_aside(paths: Paths, agree: Agree, well: Receiver) -> None:
    project = agree("a", well.host, count=8)
    well.answers(*[PAGE] * 30)
    delivered = deliver_as_sender(paths, project)
    assert (delivered.accepted, delivered.aside) == (0, 0)
    assert len(well.requests) < 12  # a network that asks to sign in is not asked about every message
    assert ask(paths, lambda connection: Outbox(connection).count(project.path)).events == 8


def test_a_message_alone_that_is_too_large_waits_for_another_to_tell(
    paths: Paths, agree: Agree, well: Receiver
) -> None:
    project = agree("a", well.host, count=1)
    well.answers(PAGE)
    assert "waits" in deliver_as_sender(paths, project).problems[0]
    (settings,) = project.sinks
    more = Entry(sink_id(settings), project.path, "z", {"messageId": "z"})
    ask(paths, lambda connection: Outbox(connection).put([more], now_ns=time.time_ns()))
    well.answers(PAGE, PAGE, 200)
    delivered = deliver_as_sender(paths, project)
    assert (delivered.accepted, delivered.aside, well.ids) == (1, 1, ["z"])
