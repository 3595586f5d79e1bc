"""The key of a process and when it was started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from make_metrics.hot import procfs
from make_metrics.processes.keys import boot_id, boot_session, process_key, start_time_ns
from make_metrics.sweep.sweep import sweep
from tests.support.project import Project
from tests.support.records import runs, stored

TICK_NS = 10_000_000  # the resolution of a process's start on Linux


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="needs a clock that counts from the boot")
def test_a_start_is_told_to_a_clock_tick() -> None:
    for _ in range(3):
        before_ns = time.time_ns()
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
            after_ns = time.time_ns()
            assert before_ns - 2 * TICK_NS <= start_time_ns(psutil.Process(process.pid)) <= after_ns + TICK_NS
            process.kill()


def test_a_key_stays_the_same_when_the_clock_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """psutil moves its public start by what the clock was moved; the system's own note stays."""
    monkeypatch.setattr(procfs, "PROC", b"/nowhere")
    before = process_key(os.getpid())
    assert before is not None
    assert before.startswith(f"00000000.{os.getpid()}.")
    moved = time.time() + 3600
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: moved)
    assert process_key(os.getpid()) == before


# What macOS answers about this boot (sysctl(3)); any other question is unknown.
SYSCTL = """\
#include <string.h>
int sysctlbyname(const char *name, char *to, size_t *size, void *set, size_t set_size)
{
    static const char id[] = "5E6FFEBE-1B4C-4B5E-9C0A-2F6B8A3D7E10";
    if (strcmp(name, ANSWERED) != 0 || *size < sizeof id || set != NULL || set_size != 0)
        return -1;
    memcpy(to, id, *size = sizeof id);
    return 0;
}
"""


@pytest.mark.parametrize(
    ("answered", "session"), [("kern.bootsessionuuid", "5E6FFEBE-1B4C-4B5E-9C0A-2F6B8A3D7E10"), ("kern.other", "")]
)
def test_a_boot_of_macos_is_named_by_its_session(answered: str, session: str, tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    (tmp_path / "sysctl.c").write_text(SYSCTL)
    library = tmp_path / "sysctl.so"
    words: list[str | Path] = [
        compiler,
        "-shared",
        "-fPIC",
        f'-DANSWERED="{answered}"',
        "-o",
        library,
        tmp_path / "sysctl.c",
    ]
    subprocess.run(words, check=True)
    assert boot_session(str(library)) == session


def test_without_an_id_a_boot_is_named_by_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(procfs, "PROC", b"/nowhere")
    assert boot_id() == f"{os.uname().nodename} {boot_session() or int(psutil.boot_time())}"


def test_a_process_that_is_gone_has_neither_key_nor_start() -> None:
    with subprocess.Popen(["true"]) as process:
        pass
    assert process_key(process.pid) is None
    with pytest.raises(psutil.NoSuchProcess):
        start_time_ns(psutil.Process(process.pid))


def test_a_run_begins_before_its_first_target_and_not_before_make_was_started(each: Project) -> None:
    each.write("all:\n    @echo all\n")
    before_ns = time.time_ns()
    each.make()
    assert sweep(each.paths).combined == 1
    ((run,), (event,)) = runs(each.paths), stored(each.paths)
    assert before_ns - 2 * TICK_NS <= run.started_ns <= event.start_wall_ns
