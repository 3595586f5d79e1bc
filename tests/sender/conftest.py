"""What the tests of the sender share."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from make_metrics.setup import fragment
from tests.support.project import Project
from tests.support.segment_receiver import Receiver
from tests.support.senders import Senders, taken_in
from tests.support.sharing_project import Sharing


@pytest.fixture
def senders(home: Path) -> Iterator[Senders]:
    """The senders below a home; those that are left are ended."""
    with taken_in(home) as found:
        yield found


@pytest.fixture
def sharing(tmp_path: Path, home: Path, receiver: Receiver, senders: Senders) -> Sharing:
    """A project with a yes, whose interpreter says in the file "started" what it is started for."""
    if not fragment.launcher():
        pytest.skip("no compiled fast path here")
    project = Project(tmp_path / "project", home)
    sharing = Sharing(project, receiver)
    python = tmp_path / "python-that-counts"
    python.write_text(f'#!/bin/sh\necho "$*" >>{tmp_path}/started\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    project.edit_fragment(f".metrics.baked.python := {sys.executable}\n", f".metrics.baked.python := {python}\n")
    sharing.cli("opt-in", "--yes")
    return sharing
