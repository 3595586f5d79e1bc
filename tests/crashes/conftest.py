"""Fixtures: a project that reports its crashes to a real receiver, to none, or to one with scripted answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.bugsink import Bugsink, bugsink
from tests.support.crashing_project import Crashing


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bugsink]:
    """A bugsink, the same for all tests of a process; the first may have to install it."""
    with bugsink(tmp_path_factory.mktemp("bugsink")) as receiver:
        yield receiver


@pytest.fixture
def crashing(
    tmp_path: Path, served: Bugsink, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Crashing:
    return Crashing(tmp_path, served.dsn, monkeypatch, capsys)


@pytest.fixture
def refusing() -> Iterator[str]:
    """An address that refuses every connection: a port that is taken, and nobody listens at."""
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{port.getsockname()[1]}"


@pytest.fixture
def offline(
    tmp_path: Path, refusing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Crashing:
    """A project whose receiver is not there."""
    return Crashing(tmp_path, f"http://key@{refusing}/1", monkeypatch, capsys)
