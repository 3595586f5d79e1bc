"""Which project a directory belongs to, also where a directory may be asked for by another name than its own."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from make_metrics.project.project import project_of
from make_metrics.project.settings import NAME


def test_a_directory_is_named_as_the_system_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a Mac `cd ~/PROJECT` and `-C ~/project` are one directory: a yes or a no for it must be for all its makes.

    A link stands for the other name, as this file system has none; what the kernel there tells of a descriptor is
    asked of /proc here. `Path.resolve` does not follow the link, as it does not know a name in another case.
    """
    directory = tmp_path / "project"
    directory.mkdir()
    (tmp_path / "PROJECT").symlink_to(directory)

    def ask(descriptor: int, question: int, _: bytes) -> bytes:
        assert question == 50
        return os.fsencode(os.readlink(f"/proc/self/fd/{descriptor}")).ljust(1024, b"\0")  # noqa: PTH115

    if not hasattr(fcntl, "F_GETPATH"):
        monkeypatch.setattr(fcntl, "F_GETPATH", 50, raising=False)
        monkeypatch.setattr(fcntl, "fcntl", ask)
        monkeypatch.setattr(Path, "resolve", lambda self: self)
    assert project_of(tmp_path / "PROJECT").directory == directory
    (directory / NAME).write_text("")
    assert project_of(tmp_path / "PROJECT").directory == directory
    gone = tmp_path / "GONE"
    assert project_of(gone).directory == gone
