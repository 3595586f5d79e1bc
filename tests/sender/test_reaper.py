"""Where a process may outlive make."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from make_metrics.sender import reaper


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is no container, and whose process 1 reaps."""
    monkeypatch.setattr(reaper, "_MARKS", (str(tmp_path / "mark"),))
    if sys.platform == "linux":
        monkeypatch.setattr(reaper, "_REAPERS", frozenset({psutil.Process(1).name()}))


@pytest.mark.usefixtures("bare")
def test_a_process_may_outlive_make_on_a_plain_machine() -> None:
    assert reaper.obstacle({}) == ""
    assert reaper.obstacle({"MAKE_METRICS_SENDER": "", "CI": "false"}) == ""


@pytest.mark.usefixtures("bare")
@pytest.mark.parametrize(
    ("environ", "reason"),
    [
        ({"CI": "true"}, "this is CI"),
        ({"CI": "true", "MAKE_METRICS_SENDER": "detached"}, "this is CI"),
        ({"MAKE_METRICS_SENDER": "none"}, "MAKE_METRICS_SENDER is 'none' in the environment"),
        ({"MAKE_METRICS_SENDER": "yes"}, "MAKE_METRICS_SENDER is 'yes' in the environment"),
        ({"container": "podman"}, "this is a container (the variable container)"),
    ],
    ids=str,
)
def test_the_environment_tells_what_is_in_the_way(environ: dict[str, str], reason: str) -> None:
    assert reaper.obstacle(environ) == reason


@pytest.mark.usefixtures("bare")
def test_in_a_container_only_detached_allows_a_process(tmp_path: Path) -> None:
    (tmp_path / "mark").touch()
    assert reaper.obstacle({}) == f"this is a container ({tmp_path / 'mark'})"
    assert reaper.obstacle({"MAKE_METRICS_SENDER": "detached"}) == ""


@pytest.mark.skipif(sys.platform != "linux", reason="on macOS launchd reaps")
@pytest.mark.usefixtures("bare")
def test_a_first_process_that_is_not_known_to_reap_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaper, "_REAPERS", frozenset())
    assert reaper.obstacle({}).startswith("process 1 is ")
    assert reaper.obstacle({"MAKE_METRICS_SENDER": "detached"}) == ""
