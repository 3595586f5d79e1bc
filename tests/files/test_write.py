"""Files and directories are the owner's alone, and never written through a symbolic link."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.support.sharing_project import Sharing


def test_only_the_owner_can_read_what_is_written(sharing: Sharing) -> None:
    sharing.cli("opt-in", "--yes")
    sharing.make()
    sharing.cli("flush")
    for folder in (sharing.paths.config, sharing.paths.state):
        for path in (folder, *folder.rglob("*")):
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("name", ["send.lock", "config", "state", "store"])
def test_a_planted_symbolic_link_is_refused(sharing: Sharing, tmp_path: Path, name: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    path = {
        "send.lock": sharing.paths.send_lock,
        "config": sharing.paths.config,
        "state": sharing.paths.state,
        "store": sharing.paths.store,
    }[name]
    path.parent.mkdir(parents=True, exist_ok=True)
    if name in ("config", "state"):
        elsewhere.mkdir()
    path.symlink_to(elsewhere)
    command = ["flush"] if name == "send.lock" else ["opt-in", "--yes"]
    sharing.cli(*command, status=1)
    assert sharing.errors.startswith("make-metrics: ")
    assert not elsewhere.exists() or list(elsewhere.iterdir()) == []
