"""Makes that follow each other: one sender stays for them, and the others end without an interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from make_metrics.consent import consent
from make_metrics.files.paths import Paths
from make_metrics.hot import append
from make_metrics.project.project import project_of
from make_metrics.sender import burst, protocol, sender
from tests.support.project import SOURCE, until
from tests.support.records import ended_run
from tests.support.segment_receiver import Receiver
from tests.support.senders import Senders, interpreters, make
from tests.support.sharing_project import Sharing

# A sender that waits, before it lets its lock go for good, until the file "go" exists.
SLOW_TO_END = """
import os, sys, time
from make_metrics.sender import sender
stay = sender._stay
def stay_longer(paths, project, descriptor):
    sender.STAY_S = 0.0
    stay(paths, project, descriptor)
    open(f"{sys.argv[1]}/at-the-end", "w").close()
    while not os.path.exists(f"{sys.argv[1]}/go"):
        time.sleep(0.01)
sender._stay = stay_longer
sender.burst.continues = lambda descriptor: True
sender.main()
"""


@pytest.mark.asks_system
def test_makes_that_follow_each_other_start_one_interpreter(
    sharing: Sharing, receiver: Receiver, senders: Senders, tmp_path: Path
) -> None:
    for _ in range(12):
        make(sharing, "a")
    until(lambda: receiver.commands.count("a") == 12, seconds=60)
    senders.gone()
    assert len(set(receiver.ids)) == len(receiver.ids)
    started = interpreters(tmp_path)
    # On a busy machine a make may take longer than a sender stays.
    assert len(started) <= 6, started
    assert all("sender.py" in words for words in started), started


@pytest.mark.asks_system
@pytest.mark.parametrize("more", [{}, {"": "a value without a name"}], ids=["", "nameless"])
def test_nothing_is_lost_where_a_sender_ends_just_as_word_is_left(
    sharing: Sharing, receiver: Receiver, senders: Senders, tmp_path: Path, more: dict[str, str]
) -> None:
    task = {protocol.MAKE: ended_run(), protocol.STATE: str(sharing.paths.state), protocol.GROUP: "0"}
    task[protocol.PROJECT] = str(sharing.project.folder)
    env = {**sharing.project.environment(), "PYTHONPATH": str(SOURCE), **task, **more}
    # With a directory Python 3.13 does not use posix_spawn, which refuses a variable without a name.
    with subprocess.Popen([sys.executable, "-c", SLOW_TO_END, str(tmp_path)], env=env, cwd=tmp_path) as process:
        until((tmp_path / "at-the-end").exists, seconds=60)
        make(sharing, "a")
        # Its sender has left word, and is gone; only the one that no longer looks is left.
        until(sharing.paths.sender_wanted.exists, seconds=60)
        until(lambda: [each.pid for each in senders.left()] == [process.pid], seconds=60)
        assert interpreters(tmp_path) == []
        (tmp_path / "go").touch()
        until(lambda: "a" in receiver.commands, seconds=60)
        process.wait(60)
    assert receiver.commands == ["a"]


def test_nothing_leaves_after_a_no_while_a_sender_stays(sharing: Sharing, receiver: Receiver, senders: Senders) -> None:
    make(sharing, "a")
    until(lambda: "a" in receiver.commands, seconds=60)
    begin = time.monotonic()
    sharing.cli("opt-out")
    assert time.monotonic() - begin < 60
    sent = len(receiver.requests)
    make(sharing, "b")
    # What a sender would find that was started with the yes, and whose make has ended since.
    sharing.paths.sender_wanted.write_text(str(sharing.project.folder))
    senders.gone()
    assert len(receiver.requests) == sent


@pytest.mark.asks_system
def test_makes_at_once_start_one_interpreter(
    sharing: Sharing, receiver: Receiver, senders: Senders, tmp_path: Path
) -> None:
    env = sharing.project.environment(MAKE_METRICS_SENDER="detached")
    makes = [sharing.project.start("a", env=env) for _ in range(12)]
    for process in makes:
        process.communicate()
    until(lambda: receiver.commands.count("a") == 12, seconds=60)
    senders.gone()
    assert len(set(receiver.ids)) == len(receiver.ids)
    assert len(interpreters(tmp_path)) <= 6, interpreters(tmp_path)


def test_a_make_by_itself_is_not_waited_for(
    sharing: Sharing, receiver: Receiver, senders: Senders, tmp_path: Path
) -> None:
    """Its sender ends as soon as it has sent: it finds no other's trace."""
    assert not sharing.paths.sender_lock.exists()
    make(sharing, "a")
    senders.gone()
    assert receiver.commands == ["a"]
    descriptor = append.lock(os.fsencode(sharing.paths.sender_lock), patience_ns=0)
    assert burst.continues(descriptor)  # for the next one
    os.utime(descriptor, (0, 0))
    assert not burst.continues(descriptor)
    os.close(descriptor)


@pytest.mark.parametrize("goes", ["program", "home", "off", "yes"])
def test_a_sender_stays_no_longer_than_what_it_stays_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, goes: str
) -> None:
    program, paths = tmp_path / "sender.py", Paths(data=tmp_path, config=tmp_path, state=tmp_path)
    program.touch()
    project = tmp_path / "project"
    project.mkdir()
    decision = consent.decision_path(paths, project_of(project))
    decision.parent.mkdir()
    decision.touch()
    descriptor = append.lock(os.fsencode(paths.sender_lock), patience_ns=0)
    monkeypatch.setattr(sender, "PROGRAM", str(program))
    monkeypatch.setattr(sender, "STAY_S", 3_600.0)
    monkeypatch.setattr(sender, "_STAY_AT_MOST_S", 3_600.0)
    monkeypatch.setattr(sender, "_limit_lifetime", lambda: None)
    thread = threading.Thread(target=sender._stay, args=(paths, project, descriptor), daemon=True)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    if goes == "off":
        paths.off_file.touch()
    else:
        {"program": program, "home": paths.sender_lock, "yes": decision}[goes].unlink()
    thread.join(60)
    assert not thread.is_alive()
    os.close(descriptor)
