"""The lock that filelock takes: free ones without it, taken ones by its waiting."""

from __future__ import annotations

import os
import signal
import stat
import threading
import time
from pathlib import Path

import pytest
from filelock import FileLock as FilelocksOwn
from filelock import Timeout

from make_metrics.files.lock import BusyError, FileLock
from tests.support.imports import loaded


def test_it_is_filelocks_lock(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with FileLock(path).acquire(timeout=0), pytest.raises(Timeout):
        FilelocksOwn(path).acquire(timeout=0)
    with FilelocksOwn(path), pytest.raises(BusyError), FileLock(path).acquire(timeout=0.1):
        pass
    with FileLock(path).acquire(timeout=0):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_who_holds_it_may_take_it_again(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = FileLock(path)
    with lock.acquire(timeout=0):
        with lock.acquire(timeout=0):
            pass
        with pytest.raises(BusyError), FileLock(path).acquire(timeout=0):
            pass
    with FileLock(path).acquire(timeout=0):
        pass


def test_it_is_waited_for(tmp_path: Path) -> None:
    path, taken, held = tmp_path / "lock", threading.Event(), FilelocksOwn(tmp_path / "lock", thread_local=False)
    held.acquire()

    def wait() -> None:
        with FileLock(path).acquire(timeout=60):
            taken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not taken.is_set()
    held.release()
    thread.join(60)
    assert taken.is_set()
    with FileLock(path).acquire(timeout=0):  # the waiting one has let it go
        pass


def test_a_child_does_not_keep_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = FileLock(path)
    with lock.acquire(timeout=0):
        child = os.fork()
        if not child:
            time.sleep(600)
            os._exit(0)
    with FileLock(path).acquire(timeout=0):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_file_that_cannot_be_used_raises_as_filelock_does(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises((NotADirectoryError, FileExistsError)), FileLock(tmp_path / "file" / "lock").acquire(timeout=0):
        pass


def test_an_umask_that_takes_too_much_leaves_a_usable_file(tmp_path: Path) -> None:
    before = os.umask(0o777)
    try:
        with FileLock(tmp_path / "lock").acquire(timeout=0):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600


def test_a_free_lock_needs_no_filelock(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    code = f"from make_metrics.files.lock import FileLock\nwith FileLock({path!r}).acquire(timeout=0): 0"
    assert "filelock" not in loaded(code)


def test_what_a_link_leads_to_is_left_as_it_is(tmp_path: Path) -> None:
    """With the oldest filelock that we take, too (`ci/nightly lowest`): it followed the link."""
    target, link = tmp_path / "target", tmp_path / "lock"
    target.write_text("precious")
    link.symlink_to(target)
    with pytest.raises(OSError, match="symbolic link"), FileLock(link).acquire(timeout=1):
        pass
    assert target.read_text() == "precious"
