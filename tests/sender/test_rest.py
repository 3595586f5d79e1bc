"""After many turns senders rest: one process of the launcher waits for the next turn, for all makes meanwhile."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import time
from datetime import datetime
from pathlib import Path

import pytest

from make_metrics.hot import append
from make_metrics.sender import burst
from tests.support.project import until
from tests.support.segment_receiver import Receiver
from tests.support.senders import Senders, arrive, interpreters, make
from tests.support.sharing_project import Sharing


@pytest.fixture
def resting(sharing: Sharing, receiver: Receiver, senders: Senders) -> Sharing:
    """A project whose first make has been sent just now, and by many turns."""
    make(sharing, "a")
    arrive(sharing, receiver, senders, "a")
    use_up(sharing)
    return sharing


def use_up(sharing: Sharing) -> None:
    """Say that all turns that may be taken in advance were taken, the last one when it was."""
    ended = sharing.paths.sender_lock.stat().st_mtime_ns
    sharing.paths.sender_lock.write_text(f"{(burst.SPARE + 1) * burst.REST_S}\n")
    os.utime(sharing.paths.sender_lock, ns=(ended, ended))


def waits(sharing: Sharing, senders: Senders) -> bool:
    """Whether one process waits, for all makes that have ended."""
    return len(senders.left()) == 1 and burst.next_turn(sharing.paths) > 0


@pytest.mark.asks_system
def test_one_process_waits_for_all_makes_and_is_no_interpreter(
    resting: Sharing, receiver: Receiver, senders: Senders, tmp_path: Path
) -> None:
    before = interpreters(tmp_path)
    for _ in range(5):
        make(resting, "b")
    until(lambda: waits(resting, senders), seconds=60)
    (waiting,) = senders.left()
    assert waiting.memory_info().rss < 2 * 2**20
    assert (interpreters(tmp_path), receiver.commands) == (before, ["a"])
    burst.end_rest(resting.paths)
    arrive(resting, receiver, senders, "a", *["b"] * 5)
    assert len(interpreters(tmp_path)) == len(before) + 1 or "c" in receiver.commands


@pytest.mark.asks_system
def test_the_turn_begins_by_itself(resting: Sharing, receiver: Receiver, senders: Senders) -> None:
    almost = time.time() - burst.REST_S + 1.5
    os.utime(resting.paths.sender_lock, (almost, almost))
    make(resting, "b")
    arrive(resting, receiver, senders, "a", "b")
    assert time.time() >= almost + burst.REST_S


@pytest.mark.parametrize("text", ["", "\n", "x\n", "-9\n", f"{burst.SPARE * burst.REST_S}\n"])
def test_turns_may_be_taken_in_advance(resting: Sharing, receiver: Receiver, senders: Senders, text: str) -> None:
    resting.paths.sender_lock.write_text(text)
    make(resting, "b")
    until(lambda: receiver.commands == ["a", "b"], seconds=60)


@pytest.mark.asks_system
def test_the_last_of_them_is_followed_by_a_rest(resting: Sharing, receiver: Receiver, senders: Senders) -> None:
    resting.paths.sender_lock.write_text(f"{burst.SPARE * burst.REST_S}\n")
    make(resting, "b")
    until(lambda: receiver.commands == ["a", "b"], seconds=60)
    senders.gone()
    make(resting, "c")
    until(lambda: waits(resting, senders), seconds=60)
    assert receiver.commands == ["a", "b"]


def test_each_turn_uses_up_as_much_and_time_gives_it_back(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    descriptor = append.lock(os.fsencode(file), patience_ns=0)
    for turns in range(1, burst.SPARE + 5):
        burst.note_end(descriptor)
        assert int(file.read_text()) == pytest.approx(min(turns, burst.SPARE + 2) * burst.REST_S, abs=60)
    an_hour_ago = time.time() - 3_600
    file.write_text(f"{12 * burst.REST_S}\n")
    os.utime(file, (an_hour_ago, an_hour_ago))
    burst.note_end(descriptor)
    assert int(file.read_text()) == pytest.approx(3 * burst.REST_S, abs=60)
    os.close(descriptor)


def test_after_a_longer_pause_a_make_is_sent_at_once(resting: Sharing, receiver: Receiver, senders: Senders) -> None:
    before = time.time() - burst.REST_S
    os.utime(resting.paths.sender_lock, (before, before))
    make(resting, "b")
    arrive(resting, receiver, senders, "a", "b")


@pytest.mark.parametrize("wall_s", [3_600, -3_600])
def test_a_clock_that_was_set_keeps_no_event_back(
    resting: Sharing, receiver: Receiver, senders: Senders, wall_s: int
) -> None:
    os.utime(resting.paths.sender_lock, (time.time() + wall_s,) * 2)
    make(resting, "b")
    arrive(resting, receiver, senders, "a", "b")


@pytest.mark.asks_system
def test_status_says_when_it_begins(resting: Sharing, senders: Senders) -> None:
    assert resting.status()["sender"]["due"] is None
    make(resting, "b")
    until(lambda: waits(resting, senders), seconds=60)
    due = datetime.fromisoformat(resting.status()["sender"]["due"]).timestamp()
    assert due == pytest.approx(resting.paths.sender_lock.stat().st_mtime + burst.REST_S, abs=0.001)
    assert "sender: sends at 2" in resting.cli("status")


@pytest.mark.asks_system
def test_flush_sends_at_once_and_ends_the_wait(resting: Sharing, receiver: Receiver, senders: Senders) -> None:
    make(resting, "b")
    until(lambda: waits(resting, senders), seconds=60)
    resting.cli("flush")
    assert receiver.commands == ["a", "b"]
    senders.gone()
    make(resting, "c")
    until(lambda: waits(resting, senders), seconds=60)


@pytest.mark.asks_system
def test_nothing_leaves_when_the_rest_ends_after_a_no(resting: Sharing, receiver: Receiver, senders: Senders) -> None:
    make(resting, "b")
    until(lambda: waits(resting, senders), seconds=60)
    resting.cli("opt-out")
    sent = len(receiver.requests)
    burst.end_rest(resting.paths)
    senders.gone()
    assert len(receiver.requests) == sent


def test_after_a_yes_a_make_is_sent_at_once(resting: Sharing, receiver: Receiver, senders: Senders) -> None:
    resting.cli("opt-out")
    resting.cli("opt-in", "--yes")
    make(resting, "b")
    arrive(resting, receiver, senders, "a", "b")


@pytest.mark.asks_system
def test_a_killed_wait_is_taken_over(resting: Sharing, receiver: Receiver, senders: Senders) -> None:
    make(resting, "b")
    until(lambda: waits(resting, senders), seconds=60)
    (waiting,) = senders.left()
    waiting.kill()
    senders.gone()
    assert burst.next_turn(resting.paths) == 0
    make(resting, "a")
    until(lambda: waits(resting, senders), seconds=60)
    burst.end_rest(resting.paths)
    arrive(resting, receiver, senders, "a", "a", "b")


@pytest.mark.asks_system
def test_a_wait_ends_with_its_home(resting: Sharing, senders: Senders) -> None:
    make(resting, "b")
    until(lambda: waits(resting, senders), seconds=60)
    shutil.rmtree(resting.paths.state)
    senders.gone()
    assert not resting.paths.state.exists()


@pytest.mark.asks_system
def test_a_no_in_the_project_that_waits_keeps_nothing_of_another_one_back(
    resting: Sharing, receiver: Receiver, senders: Senders
) -> None:
    other = resting.project.folder.parent / "other"
    shutil.copytree(resting.project.folder, other)
    resting.cli("opt-in", "--yes", "-C", str(other))
    make(resting, "b")  # a yes has ended the rest
    arrive(resting, receiver, senders, "a", "b")
    use_up(resting)
    make(resting, "a")
    until(lambda: waits(resting, senders), seconds=60)
    env = resting.project.environment(MAKE_METRICS_SENDER="detached")
    done = resting.project.make("-C", str(other), "b", env=env, start_new_session=True)
    assert done.returncode == 0
    until(lambda: waits(resting, senders), seconds=60)
    resting.cli("opt-out")
    burst.end_rest(resting.paths)
    until(lambda: receiver.commands.count("b") == 2 or not senders.left(), seconds=60)
    resting.cli("flush")  # should the sender have been too slow
    assert sorted(receiver.commands) == ["a", "b", "b"]


def test_a_turn_that_had_no_time_for_all_is_followed_at_once(resting: Sharing) -> None:
    descriptor = append.lock(os.fsencode(resting.paths.sender_lock), patience_ns=0)
    burst.note_end(descriptor)
    assert burst.continues(descriptor)
    burst.note_end(descriptor, is_complete=False)
    assert not burst.continues(descriptor)
    os.close(descriptor)


def test_nothing_is_lost_or_doubled_whenever_the_rest_ends(
    resting: Sharing, receiver: Receiver, senders: Senders
) -> None:
    chance = random.Random(7)  # noqa: S311
    env = resting.project.environment(MAKE_METRICS_SENDER="detached")
    count, pipe = 60, subprocess.DEVNULL
    words = [resting.project.make_path, "a"]
    for _ in range(count // 3):
        use_up(resting)
        makes = [
            subprocess.Popen(words, cwd=resting.project.folder, env=env, stdout=pipe, start_new_session=True)
            for _ in range(3)
        ]
        time.sleep(chance.uniform(0, 0.03))
        burst.end_rest(resting.paths)
        assert [process.wait(60) for process in makes] == [0, 0, 0]
    until(lambda: waits(resting, senders) or not senders.left(), seconds=60)
    burst.end_rest(resting.paths)
    arrive(resting, receiver, senders, *["a"] * (count + 1))
