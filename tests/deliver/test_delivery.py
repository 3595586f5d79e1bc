"""Delivery against a receiver that answers anything: every event arrives once, whatever happened before."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from filelock import FileLock

from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import ensure_id
from make_metrics.deliver import delivery
from make_metrics.deliver.delivery import Delivered, deliver
from make_metrics.files.paths import Paths
from make_metrics.project.project import Project, project_of
from make_metrics.sinks.segment import SegmentSink
from make_metrics.store.outbox import Entry, Outbox, sink_id
from make_metrics.store.store import Store
from tests.support.records import paths_in
from tests.support.segment_receiver import Answer, Receiver, receiving
from tests.support.sharing_project import TEXT
from tests.support.store import ask


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(made_up=True) as found:
        yield found


@pytest.fixture(autouse=True)
def _patience(home: Path) -> None:
    """Loopback may be slow on a busy machine: the user waits longer for an answer than by default."""
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
    found = project_of(folder)
    with consent.lock(paths):
        ensure_id(paths, found)
        consent.write_decision(paths, found, yes=True, now_ns=time.time_ns())
    return found


def configure(folder: Path, *hosts: str) -> None:
    sinks = "".join(f'[[sinks]]\ntype = "segment"\nwrite-key = "key"\nhost = "{host}"\n' for host in hosts)
    (folder / "make-metrics.toml").write_text(f"{TEXT}\n{sinks}")


def queue(paths: Paths, project: Project, *names: str, size: int = 1) -> None:
    entries = [
        Entry(sink_id(sink), str(project.directory), name, {"messageId": name, "x": "x" * size})
        for name in names
        for sink in project.sinks
    ]
    ask(paths, lambda found: Outbox(found).put(entries, now_ns=time.time_ns()))


def waiting(paths: Paths, project: Project) -> tuple[int, int]:
    found = ask(paths, lambda connection: Outbox(connection).count(str(project.directory)))
    return found.events, found.aside


def go(paths: Paths, environ: Mapping[str, str] | None = None, *, timeout_s: float = 100) -> Delivered:
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
    first = go(paths)
    assert (first.accepted, len(first.problems)) == (100, 1)
    assert waiting(paths, project) == (150, 0)
    if trouble.status in (401, 403, 404):  # not before an hour, or the settings change
        assert "not tried again" in go(paths).problems[0]
        configure(project.directory, receiver.host)
        ask(paths, lambda found: found.execute("UPDATE attempts SET not_before_ns = 0"))
    assert go(paths) == Delivered(accepted=150)
    assert sorted(receiver.ids) == names(250)
    assert waiting(paths, project) == (0, 0)


def test_retry_after_is_honoured(paths: Paths, project: Project, receiver: Receiver) -> None:
    queue(paths, project, *names(3))
    receiver.answers(Answer(429, {"Retry-After": "120"}))
    go(paths)
    (problem,) = go(paths).problems
    assert "the receiver answered 429: not tried again for 1" in problem
    assert len(receiver.requests) == 1
    (attempt,) = ask(paths, lambda found: Outbox(found).attempts(str(project.directory)))
    assert 119e9 < attempt.not_before_ns - attempt.tried_ns <= 120e9


def test_a_poisoned_event_is_set_aside_and_the_others_go(paths: Paths, project: Project, receiver: Receiver) -> None:
    queue(paths, project, *names(130))
    receiver.poison = {"0003", "0077", "0101"}
    delivered = go(paths)
    assert (delivered.accepted, delivered.aside, delivered.problems) == (127, 3, [])
    assert sorted(receiver.ids) == [name for name in names(130) if name not in receiver.poison]
    assert waiting(paths, project) == (0, 3)
    aside = ask(paths, lambda found: Outbox(found).refused(str(project.directory)))
    assert aside == {"the receiver answered 400": 3}
    before = len(receiver.requests)
    queue(paths, project, *receiver.poison)
    assert go(paths) == Delivered()
    assert len(receiver.requests) == before


def test_what_is_too_large_is_halved(paths: Paths, project: Project, receiver: Receiver) -> None:
    queue(paths, project, *names(8))
    receiver.answers(413, 413)
    assert go(paths).accepted == 8
    assert [len(json.loads(body)["batch"]) for body in receiver.bodies] == [2, 2, 4]
    queue(paths, project, "too-large", size=40_000)
    assert go(paths).aside == 1


def test_each_sink_has_its_own(paths: Paths, project: Project, receiver: Receiver) -> None:
    with receiving(made_up=True) as other:
        configure(project.directory, receiver.host, other.host)
        both = project_of(project.directory)
        with consent.lock(paths):
            consent.write_decision(paths, both, yes=True, now_ns=time.time_ns())
        queue(paths, both, *names(3))
        receiver.answers(500)
        delivered = go(paths)
        assert (delivered.accepted, len(delivered.problems)) == (3, 1)
        assert (receiver.ids, other.ids) == ([], names(3))
        assert go(paths) == Delivered(accepted=3)
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
    delivered = go(paths)
    assert (delivered.accepted, len(delivered.problems)) == (100, 1)
    assert len(receiver.requests) == 1
    assert waiting(paths, project) == (0, 0)


def test_a_no_and_another_yes_while_sending(
    paths: Paths, project: Project, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(paths, project, *names(300))
    send = SegmentSink.send

    def send_and_change_ones_mind(self: SegmentSink, batch: list[object], *, timeout_s: float) -> object:
        verdict = send(self, batch, timeout_s=timeout_s)  # type: ignore[arg-type]
        ask(paths, lambda found: Outbox(found).withdraw(project.path))
        return verdict

    monkeypatch.setattr(SegmentSink, "send", send_and_change_ones_mind)
    assert go(paths) == Delivered(accepted=100)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("change", ["gone", "other"])
def test_settings_are_read_again_too(paths: Paths, project: Project, receiver: Receiver, change: str) -> None:
    queue(paths, project, *names(3))
    if change == "gone":
        (project.directory / "make-metrics.toml").unlink()
    else:
        configure(project.directory, f"{receiver.host}/elsewhere")
    assert len(go(paths).problems) == 1
    assert receiver.requests == []
    assert waiting(paths, project) == (3, 0)
    configure(project.directory, receiver.host)
    assert go(paths).accepted == 3


@pytest.mark.parametrize(
    "environ", [{"DO_NOT_TRACK": "1"}, {"MAKE_METRICS": "off"}, {"MAKE_METRICS": "local"}], ids=str
)
def test_the_environment_can_hold_everything_back(
    paths: Paths, project: Project, receiver: Receiver, environ: dict[str, str]
) -> None:
    queue(paths, project, *names(3))
    assert len(go(paths, environ).problems) == 1
    assert receiver.requests == []
    assert waiting(paths, project) == (3, 0)


@pytest.mark.parametrize("deed", ["hang", "trickle"])
def test_the_time_is_bounded(paths: Paths, project: Project, receiver: Receiver, deed: str) -> None:
    queue(paths, project, *names(3))
    receiver.answers(Answer(deed=deed))
    began = time.monotonic()
    delivered = go(paths, timeout_s=1)
    assert time.monotonic() - began < 50  # the receiver would hang for a minute, or for ever
    assert len(delivered.problems) == 1
    assert waiting(paths, project) == (3, 0)
    assert go(paths).accepted == 3


def test_one_sends_at_a_time(paths: Paths, project: Project, receiver: Receiver) -> None:
    queue(paths, project, *names(3))
    with FileLock(paths.send_lock):
        assert go(paths, timeout_s=0.1) == Delivered(problems=["another make-metrics is sending"])
    assert go(paths).accepted == 3


def test_ten_at_once_upload_once(paths: Paths, project: Project, receiver: Receiver) -> None:
    queue(paths, project, *names(300))
    children = []
    for _ in range(10):
        child = os.fork()
        if not child:
            try:
                go(paths)
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    assert sorted(receiver.ids) == names(300)
    assert len(receiver.requests) == 3


def test_two_days_offline(paths: Paths, project: Project, receiver: Receiver) -> None:
    queue(paths, project, *names(2_000))
    receiver.answers(*[Answer(503)] * 5)
    for _ in range(5):
        assert go(paths).accepted == 0
    assert go(paths).accepted == 2_000
    assert len(receiver.bodies) == 20


def test_a_death_between_acceptance_and_writing_it_down_costs_a_repetition_only(
    paths: Paths, project: Project, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(paths, project, *names(3))

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(delivery, "_note", die)
        with pytest.raises(KeyboardInterrupt):
            go(paths)
    assert go(paths).accepted == 3
    assert receiver.ids == names(3) * 2  # the receiver tells by the ids that these are the same


def test_what_was_accepted_is_never_queued_again(paths: Paths, project: Project, receiver: Receiver) -> None:
    queue(paths, project, *names(3))
    go(paths)
    queue(paths, project, *names(3))
    assert waiting(paths, project) == (0, 0)
    assert go(paths) == Delivered()


def test_the_connection_is_in_no_transaction_while_it_waits_for_an_answer(
    paths: Paths, project: Project, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue(paths, project, *names(3))
    send = SegmentSink.send

    def prune_and_send(self: SegmentSink, batch: list[object], *, timeout_s: float) -> object:
        ask(paths, lambda found: Store(found).prune(now_ns=0))
        return send(self, batch, timeout_s=timeout_s)  # type: ignore[arg-type]

    monkeypatch.setattr(SegmentSink, "send", prune_and_send)
    assert go(paths).accepted == 3


def test_killed_at_any_point_nothing_is_lost_and_nothing_is_new(
    paths: Paths, project: Project, receiver: Receiver
) -> None:
    chance = random.Random(4)  # noqa: S311
    everything, interrupted = names(12_000), 0
    for round_ in range(60):
        queue(paths, project, *everything[round_ * 200 : round_ * 200 + 200])
        child = os.fork()
        if not child:
            try:
                go(paths)
            finally:
                os._exit(0)
        time.sleep(chance.uniform(0, 0.05))  # any moment will do
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        interrupted += os.WIFSIGNALED(status)
    go(paths)
    assert interrupted > 10
    assert waiting(paths, project) == (0, 0)
    assert set(receiver.ids) == set(everything)
    ledger = ask(paths, lambda found: Outbox(found).sent_batches(str(project.directory)))
    assert sum(batch.events for batch in ledger) == 12_000
