"""Repositories of git, as tests need them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

TIME = "2021-05-17T19:44:09+02:00"


def git(folder: Path, *words: str) -> str:
    """Run a git command in a folder; its output."""
    command = ["git", "-c", "user.name=someone", "-c", "user.email=someone@example.org", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.strip()


def commit(folder: Path, message: str = "a") -> str:
    """Make an empty commit; its name."""
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


def create_repository(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository with one commit of the committer time `TIME`; later commits have it too."""
    monkeypatch.setenv("GIT_COMMITTER_DATE", TIME)
    folder.mkdir()
    git(folder, "init", "--quiet")
    commit(folder)
    return folder
