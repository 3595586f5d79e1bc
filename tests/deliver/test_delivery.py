"""Delivery against a receiver that answers anything: every event arrives once, whatever happened before."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import ensure_id
from make_metrics.crashes import log as crash_log
from make_metrics.deliver import to_sink
from make_metrics.deliver.delivery import deliver
from make_metrics.deliver.to_sink import Delivered
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project, project_of
from make_metrics.sinks.segment import SegmentSink
from make_metrics.store.history import History
from make_metrics.store.outbox import Entry, Outbox, sink_id
from tests.support.records import paths_in
from tests.support.segment_receiver import Answer, Receiver, receiving
from tests.support.sharing_project import TEXT
from tests.support.store import ask


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(made_up=True) as receiver:
        yield receiver


@pytest.fixture(autouse=True)
def _patience(home: Path) -> None:
    """Wait longer for an answer than by default: loopback may be slow on a busy machine."""
    settings = Paths.from_environment().user_settings
    assert settings.is_relative_to(home)
    settings.parent.mkdir(mode=0o700)
    settings.write_text("timeout = 60\n")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_in(tmp_path / "mm")


@pytest.fixture
def project(tmp_path: Path, paths: Paths, receiver: Receiver) -> Project:
    """A project with a yes."""
    folder = tmp_path / "project"
    folder.mkdir()
    configure(folder, receiver.host)
    project = project_of(folder)
    with consent.lock(paths):
        ensure_id(paths, project)
        consent.write_decision(paths, project, yes=True, now_ns=time.time_ns())
    return project


def configure(folder: Path, *hosts: str) -> None:
    sinks = "".join(f'[[sinks]]\ntype = "segment"\nwrite-key = "key"\nhost = "{host}"\n' for host in hosts)
    (folder / "make-metrics.toml").write_text(f"{TEXT}\n{sinks}")


def queue(paths: Paths, project: Project, *names: str, size: int = 1) -> None:
    entries = [
        Entry(sink_id(sink), str(project.directory), name, {"messageId": name, "x": "x" * size})
        for name in names
        for sink in project.sinks
    ]
    ask(paths, lambda connection: Outbox(connection).put(entries, now_ns=time.time_ns()))


def waiting(paths: Paths, project: Project) -> tuple[int, int]:
    count = ask(paths, lambda connection: Outbox(connection).count(str(project.directory)))
    return count.events, count.aside


def deliver_now(paths: Paths, environ: Mapping[str, str] | None = None, *, timeout_s: float = 100) -> Delivered:
    return deliver(paths, environ or {}, timeout_s=timeout_s)


def names(count: int) -> list[str]:
    return [f"{number:04}" for number in range(count)]


TROUBLE = [
    *(Answer(status) for status in (401, 403, 404, 408, 429, 500, 502, 503, 302)),
    Answer(307, {"Location": "/elsewhere"}),
    Answer(deed="reset"),
    Answer(deed="garbage"),
]


@pytest.mark.parametrize("trouble", TROUBLE, ids=lambda answer: answer.deed or str(answer.status))
def test_after_any_trouble_everything_arrives_once(
    paths: Paths, project: Project, receiver: Receiver, trouble: Answer
) -> None:
    queue(paths, project, *names(250))
    receiver.answers(200, trouble)
    first = deliver_now(paths)
    assert (first.accepted, len(first.problems)) == (100, 1)
    assert waiting(paths, project) == (150, 0)
    if trouble.status in (401, 403, 404):  # not before an hour, or the settings change
        assert "not tried again" in deliver_now(paths).problems[0]
        configure(project.directory, receiver.host)
        ask(paths, lambda connection: connection.execute("UPDATE attempts SET not_before_ns = 0"))
    assert deliver_now(paths) == Delivered(accepted=150)
    assert sorted(receiver.ids) == names(250)
    assert waiting(paths, project) == (0, 0)


def test_retry_after_is_honoured(paths: Paths, project: Project, receiver: Receiver) -> None:
    queue(paths, project, *names(3))
    receiver.answers(Answer(429, {"Retry-After": "120"}))
    deliver_now(paths)
    (problem,) = deliver_now(paths).problems
    assert "the receiver answered 429: not tried again for 1" in problem
    assert len(receiver.requests) == 1
    (attempt,) = ask(paths, lambda connection: Outbox(connection).attempts(str(project.directory)))
    assert 119e9 < attempt.not_before_ns - attempt.tried_ns <= 120e9


def test_a_refused_event_is_set_aside_and_the_others_are_sent(
    paths: Paths, project: Project, receiver: Receiver
) -> None:
    queue(paths, project, *names(130))
    receiver.poison = {"0003", "0077", "0101"}
    delivered = deliver_now(paths)
    assert (delivered.accepted, delivered.aside, delivered.problems) == (127, 3, [])
    assert sorted(receiver.ids) == [name for name in names(130) if name not in receiver.poison]
    assert waiting(paths, project) == (0, 3)
    aside = ask(paths, lambda connection: Outbox(connection).refused(str(project.directory)))
    assert aside == {"the receiver answered 400": 3}
    before = len(receiver.requests)
    queue(paths, project, *receiver.poison)
    assert deliver_now(paths) == Delivered()
    assert len(receiver.requests) == before


def test_a_batch_that_is_too_large_is_halved(paths: Paths, project: Project, receiver: Receiver) -> None:
    queue(paths, project, *names(8))
    receiver.answers(413, 413)
    assert deliver_now(paths).accepted == 8
    assert [len(json.loads(body)["batch"]) for body in receiver.bodies] == [2, 2, 4]
    queue(paths, project, "too-large", size=40_000)
    assert deliver_now(paths).aside == 1


def test_each_sink_has_messages_of_its_own(paths: Paths, project: Project, receiver: Receiver) -> None:
    with receiving(made_up=True) as other:
        configure(project.directory, receiver.host, other.host)
        both = project_of(project.directory)
        with consent.lock(paths):
            consent.write_decision(paths, both, yes=True, now_ns=time.time_ns())
        queue(paths, both, *names(3))
        receiver.answers(500)
        delivered = deliver_now(paths)
        assert (delivered.accepted, len(delivered.problems)) == (3, 1)
        assert (receiver.ids, other.ids) == ([], names(3))
        assert deliver_now(paths) == Delivered(accepted=3)
        assert (receiver.ids, other.ids) == (names(3), names(3))


def test_consent_is_read_again_before_each_request(
    paths: Paths, project: Project, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(paths, project, *names(300))
    send = SegmentSink.send

    def send_and_withdraw(self: SegmentSink, batch: list[object], *, timeout_s: float) -> object:
        verdict = send(self, batch, timeout_s=timeout_s)  # type: ignore[arg-type]
        with consent.lock(paths):
            consent.write_decision(paths, project, yes=False, now_ns=time.time_ns())
        return verdict

    monkeypatch.setattr(SegmentSink, "send", send_and_withdraw)
    delivered = deliver_now(paths)
    assert (delivered.accepted, len(delivered.problems)) == (100, 1)
    assert len(receiver.requests) == 1
    assert waiting(paths, project) == (0, 0)


def test_a_no_and_a_yes_while_sending_delete_the_older_messages(
    paths: Paths, project: Project, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(paths, project, *names(300))
    send = SegmentSink.send

    def send_and_withdraw(self: SegmentSink, batch: list[object], *, timeout_s: float) -> object:
        verdict = send(self, batch, timeout_s=timeout_s)  # type: ignore[arg-type]
        ask(paths, lambda connection: Outbox(connection).withdraw(project.path))
        return verdict

    monkeypatch.setattr(SegmentSink, "send", send_and_withdraw)
    assert deliver_now(paths) == Delivered(accepted=100)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("change", ["gone", "other"])
def test_settings_are_read_again_before_each_request(
    paths: Paths, project: Project, receiver: Receiver, change: str
) -> None:
    queue(paths, project, *names(3))
    if change == "gone":
        (project.directory / "make-metrics.toml").unlink()
    else:
        configure(project.directory, f"{receiver.host}/elsewhere")
    assert len(deliver_now(paths).problems) == 1
    assert receiver.requests == []
    assert waiting(paths, project) == (3, 0)
    configure(project.directory, receiver.host)
    assert deliver_now(paths).accepted == 3


@pytest.mark.parametrize(
    "environ", [{"DO_NOT_TRACK": "1"}, {"MAKE_METRICS": "off"}, {"MAKE_METRICS": "local"}], ids=str
)
def test_the_environment_can_stop_all_sending(
    paths: Paths, project: Project, receiver: Receiver, environ: dict[str, str]
) -> None:
    queue(paths, project, *names(3))
    assert len(deliver_now(paths, environ).problems) == 1
    assert receiver.requests == []
    assert waiting(paths, project) == (3, 0)


@pytest.mark.parametrize("deed", ["hang", "trickle"])
def test_a_delivery_ends_in_time(paths: Paths, project: Project, receiver: Receiver, deed: str) -> None:
    queue(paths, project, *names(3))
    receiver.answers(Answer(deed=deed))
    began = time.monotonic()
    delivered = deliver_now(paths, timeout_s=1)
    assert time.monotonic() - began < 50  # the receiver would hang for a minute, or for ever
    assert len(delivered.problems) == 1
    assert waiting(paths, project) == (3, 0)
    receiver.ended.set()  # as long as the request is under way, it keeps the lock
    assert deliver_now(paths).accepted == 3


def test_only_one_process_sends_at_a_time(paths: Paths, project: Project, receiver: Receiver) -> None:
    queue(paths, project, *names(3))
    with FileLock(paths.send_lock):
        assert deliver_now(paths, timeout_s=0.1) == Delivered(problems=["another make-metrics is sending"])
    assert deliver_now(paths).accepted == 3


def test_ten_deliveries_at_once_send_each_event_once(paths: Paths, project: Project, receiver: Receiver) -> None:
    queue(paths, project, *names(300))
    children = []
    for _ in range(10):
        child = os.fork()
        if not child:
            try:
                deliver_now(paths)
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    assert sorted(receiver.ids) == names(300)
    assert len(receiver.requests) == 3


def test_everything_arrives_after_two_days_offline(paths: Paths, project: Project, receiver: Receiver) -> None:
    queue(paths, project, *names(2_000))
    receiver.answers(*[Answer(503)] * 5)
    for _ in range(5):
        assert deliver_now(paths).accepted == 0
    assert deliver_now(paths).accepted == 2_000
    assert len(receiver.bodies) == 20


def test_a_death_between_acceptance_and_the_store_only_repeats_a_request(
    paths: Paths, project: Project, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(paths, project, *names(3))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(to_sink, "_note", die)
        with pytest.raises(KeyboardInterrupt):
            deliver_now(paths)
    assert deliver_now(paths).accepted == 3
    assert receiver.ids == names(3) * 2  # the receiver tells by the ids that these are the same


def test_an_accepted_event_is_not_queued_again(paths: Paths, project: Project, receiver: Receiver) -> None:
    queue(paths, project, *names(3))
    deliver_now(paths)
    queue(paths, project, *names(3))
    assert waiting(paths, project) == (0, 0)
    assert deliver_now(paths) == Delivered()


def test_the_connection_is_in_no_transaction_while_it_waits_for_an_answer(
    paths: Paths, project: Project, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(paths, project, *names(3))
    send = SegmentSink.send

    def prune_and_send(self: SegmentSink, batch: list[object], *, timeout_s: float) -> object:
        ask(paths, lambda connection: History(connection).prune(now_ns=0))
        return send(self, batch, timeout_s=timeout_s)  # type: ignore[arg-type]

    monkeypatch.setattr(SegmentSink, "send", prune_and_send)
    assert deliver_now(paths).accepted == 3


def test_a_delivery_killed_at_any_point_loses_nothing(paths: Paths, project: Project, receiver: Receiver) -> None:
    chance = random.Random(4)  # noqa: S311
    everything, interrupted = names(12_000), 0
    for round_ in range(60):
        queue(paths, project, *everything[round_ * 200 : round_ * 200 + 200])
        child = os.fork()
        if not child:
            try:
                deliver_now(paths)
            finally:
                os._exit(0)
        time.sleep(chance.uniform(0, 0.05))  # any moment will do
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        interrupted += os.WIFSIGNALED(status)
    deliver_now(paths)
    assert interrupted > 10
    assert waiting(paths, project) == (0, 0)
    assert set(receiver.ids) == set(everything)
    ledger = ask(paths, lambda connection: Outbox(connection).sent_batches(str(project.directory)))
    assert sum(batch.events for batch in ledger) == 12_000


def test_a_bug_in_one_of_our_sinks_delays_only_its_events(
    paths: Paths, project: Project, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project.directory, "https://broken.example.org", receiver.host)
    project = project_of(project.directory)
    with consent.lock(paths):
        consent.write_decision(paths, project, yes=True, now_ns=time.time_ns())
    queue(paths, project, *names(3))
    send = SegmentSink.send

    def fail(sink: SegmentSink, *words: Any, **named: Any) -> Any:
        if "broken" in sink._host:
            raise TypeError("as a client library that changed")
        return send(sink, *words, **named)

    monkeypatch.setattr(SegmentSink, "send", fail)
    delivered = deliver_now(paths)
    assert delivered.accepted == 3
    assert waiting(paths, project) == (3, 0)
    (problem,) = delivered.problems
    assert 'sink "segment" is broken: TypeError' in problem
    assert [entry.part for entry in crash_log.entries(paths)] == ["sender"]
