"""Waiting for the end of one process, and of no other with its pid."""

from __future__ import annotations

import os
import subprocess
import threading

import psutil
import pytest

from make_metrics.processes.keys import process_key
from make_metrics.processes.wait import wait_for_end
from tests.support.project import until


@pytest.fixture(params=["pidfd", "poll"], autouse=True)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "poll":
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    elif not hasattr(os, "pidfd_open"):
        pytest.skip("not on this system")


def test_a_zombie_has_ended() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as running:
        key = process_key(running.pid)
        assert key is not None
        waiting = threading.Thread(target=wait_for_end, args=(key,), daemon=True)
        waiting.start()
        assert waiting.is_alive()
        assert running.stdin is not None
        running.stdin.close()
        until(lambda: psutil.Process(running.pid).status() == psutil.STATUS_ZOMBIE)
        waiting.join(20)
        assert not waiting.is_alive()


def test_a_process_with_the_same_pid_is_not_waited_for() -> None:
    key = process_key(os.getpid())
    assert key is not None
    wait_for_end(f"{key}0")
    wait_for_end("no key")


def test_a_process_that_is_gone_is_not_waited_for() -> None:
    with subprocess.Popen(["true"]) as running:
        key = process_key(running.pid)
        assert key is not None
    wait_for_end(key)
