"""Where a process may outlive make."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from make_metrics.sender import reaper
from tests.support.project import SOURCE


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose process 1 reaps."""
    if sys.platform == "linux":
        monkeypatch.setattr(reaper, "REAPERS", frozenset({psutil.Process(1).name()}))


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
    ],
    ids=str,
)
def test_the_environment_tells_what_is_in_the_way(environ: dict[str, str], reason: str) -> None:
    assert reaper.obstacle(environ) == reaper.prohibition(environ) == reason


@pytest.mark.skipif(sys.platform != "linux", reason="on macOS launchd reaps")
@pytest.mark.usefixtures("bare")
def test_a_first_process_that_is_not_known_to_reap_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaper, "REAPERS", frozenset())
    assert reaper.obstacle({}).startswith("process 1 is ")
    assert reaper.obstacle({"MAKE_METRICS_SENDER": "detached"}) == ""


NAMESPACE = ["unshare", "-pf", "--mount-proc"]
ASKS = (
    f"import sys; sys.path.insert(0, {str(SOURCE)!r}); from make_metrics.sender import reaper; "
    "print(reaper.obstacle({}))"
)
# An orphan that ends at once, and a moment for process 1.
ORPHAN = "import os, time; os.fork() or os.fork() or os._exit(0); os._exit(0)"


def asked_below(*first: str) -> str:
    """What a process is told below this process 1, which has been left an orphan."""
    done = subprocess.run([*NAMESPACE, *first], check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.strip()


needs_namespaces = pytest.mark.skipif(
    not shutil.which("unshare")
    or subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False).returncode != 0,
    reason="no process may make a pid namespace here",
)


@needs_namespaces
@pytest.mark.parametrize("shell", ["bash", "dash", "zsh", "ksh", "mksh"])
def test_a_shell_as_process_1_reaps(shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"there is no {shell}")
    asks = f"{sys.executable} -c '{ORPHAN}'; {sys.executable} -c \"$ASKS\"; :"
    assert asked_below("env", f"ASKS={ASKS}", shell, "-c", asks) == ""


@needs_namespaces
def test_a_process_1_that_ignores_its_children_leaves_them_to_the_system() -> None:
    first = (
        "import signal, subprocess, sys\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        f"subprocess.run([sys.executable, '-c', {ORPHAN!r}])\nsubprocess.run([sys.executable, '-c', {ASKS!r}])\n"
    )
    assert asked_below(sys.executable, "-c", first) == ""


@needs_namespaces
def test_a_process_1_that_waits_only_for_its_own_children_is_in_the_way() -> None:
    first = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {ASKS!r}])\n"
    assert "which may not wait for it" in asked_below(sys.executable, "-c", first)


@needs_namespaces
def test_zombies_below_a_shell_show_that_it_does_not_reap(tmp_path: Path) -> None:
    """A program that calls itself sh, and waits for its own child only."""
    first = (
        "import subprocess, sys\nopen('/proc/self/comm', 'w').write('sh')\n"
        f"orphaned = subprocess.Popen([sys.executable, '-c', {ORPHAN!r}])\n"
        f"subprocess.run([sys.executable, '-c', {ASKS!r}])\n"
    )
    assert asked_below(sys.executable, "-c", first) == "process 1 is 'sh', and has left zombies"
