"""Metrics of git."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

from make_metrics.metrics import RunFacts
from make_metrics.properties.git import Dirty
from tests.support.git_repository import commit, git

RUN = RunFacts(ended_ns=time.time_ns())


def test_a_work_tree_with_changed_tracked_files_is_dirty(repository: Path) -> None:
    (repository / "a").write_text("1")
    git(repository, "add", "a")
    head = commit(repository)
    run = replace(RUN, repository=str(repository), commit=head, ended_ns=time.time_ns())
    assert Dirty().value(run) is False
    (repository / "new").write_text("")
    assert Dirty().value(run) is False
    (repository / "a").write_text("22")
    assert Dirty().value(run) is True
    assert Dirty().value(replace(run, ended_ns=time.time_ns() - 3_600_000_000_000)) is None
    assert Dirty().value(replace(run, commit="0" * 40)) is None


def test_no_monitor_of_the_repository_is_started(repository: Path) -> None:
    """A repository's configuration can name a program that git starts to look for changes."""
    monitor = repository / "monitor"
    monitor.write_text(f"#!/bin/sh\ntouch {repository}/was-started\n")
    monitor.chmod(0o755)
    git(repository, "config", "core.fsmonitor", str(monitor))
    head = commit(repository)
    (repository / "was-started").unlink(missing_ok=True)
    assert Dirty().value(replace(RUN, repository=str(repository), commit=head, ended_ns=time.time_ns())) is False
    assert not (repository / "was-started").exists()
    git(repository, "status")
    assert (repository / "was-started").exists()
