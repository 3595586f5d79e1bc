"""What the shims write into the records of others, and around what others have put there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.support.shim_calls import PYTHON_SHIM, RUN, Make, compiled, shim_words

_OWNER = 12345


def _hard_link(path: Path, secret: Path) -> Path:
    path.hardlink_to(secret)
    return secret


def _moved_here(path: Path, secret: Path) -> Path:
    return secret.rename(path)


def _link(path: Path, secret: Path) -> Path:
    path.symlink_to(secret)
    return secret


def _fifo(path: Path, secret: Path) -> Path:
    os.mkfifo(path)
    return secret


@pytest.mark.skipif(os.geteuid() != 0, reason="not root")
@pytest.mark.parametrize("suffix", [".rec", ".lock"])
@pytest.mark.parametrize("plant", [_hard_link, _moved_here, _link, _fifo, None])
def test_root_gives_the_owner_of_the_directory_nothing_but_what_it_has_made(
    make: Make, shim: Sequence[str], tmp_path: Path, plant: Callable[[Path, Path], Path] | None, suffix: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("root's alone")
    secret.chmod(0o600)
    if plant:
        secret = plant(make.records / f"{RUN.decode()}{suffix}", secret)
    for path in (make.state, *make.state.rglob("*")):
        if path.lstat().st_ino != secret.stat().st_ino:
            os.chown(path, _OWNER, _OWNER, follow_symlinks=False)
    python = compiled(Path(shim[0]), sys.executable) if shim is not PYTHON_SHIM else shim
    env = make.environment(SUDO_UID=str(_OWNER), MAKELEVEL="2")
    assert make.start(python, shim_words("exit 3", make.state, make="1:4.3:make:f"), env=env).wait(60) == 3
    assert (secret.read_text(), secret.stat().st_uid) == ("root's alone", 0)
    records = [path for path in make.records.glob("*.rec") if path.is_file() and path.stat().st_nlink == 1]
    records = [path for path in records if b"L " in path.read_bytes()]
    assert len(records) == 1
    assert {path.stat().st_uid for path in records} == {_OWNER}
    if not plant:
        assert {path.stat().st_uid for path in make.records.iterdir()} == {_OWNER}


@pytest.mark.parametrize("suffix", [".rec", ".lock"])
def test_an_entry_is_not_lost_in_a_fifo(make: Make, shim: Sequence[str], suffix: str) -> None:
    os.mkfifo(make.records / f"{RUN.decode()}{suffix}")
    assert make.start(shim, shim_words("exit 3", make.state)).wait(60) == 3
    (path,) = (path for path in make.records.glob("*.rec") if path.is_file())
    assert b"\nL " in path.read_bytes()
