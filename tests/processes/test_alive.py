"""Whether a run has ended, also when a restart ended it."""

from __future__ import annotations

from pathlib import Path

from make_metrics.processes.alive import alive
from make_metrics.processes.keys import boot_id
from tests.support.project import Project

OTHER_BOOT = "0" * 8 + ".4711.12345"


def test_a_run_of_this_machines_last_boot_has_ended() -> None:
    name, boot = boot_id().split()
    assert alive(OTHER_BOOT, f"{name} another-{boot}") is False


def test_a_run_of_another_machine_or_container_cannot_be_judged() -> None:
    name, boot = boot_id().split()
    assert alive(OTHER_BOOT, f"other-{name} another-{boot}") is None
    assert alive(OTHER_BOOT, f"{name} {boot}") is None
    assert alive(OTHER_BOOT) is None


def test_after_a_restart_earlier_runs_are_in_the_report(project: Project) -> None:
    project.write("all:\n\t@:\n")
    assert project.make().returncode == 0
    (record,) = project.records()
    _pretend_restart(record)
    assert list(project.events()) == ["all"]
    assert project.records() == []


def _pretend_restart(record: Path) -> None:
    """The record as the machine's last boot would have left it: other boot id, and so other keys."""
    boot, run = boot_id().split()[1], record.stem
    text = record.read_text()
    assert boot in text
    host = run.split(".")[0]
    other = record.with_name(f"{run.replace(host, '00000001')}.rec")
    other.write_text(text.replace(boot, "an-earlier-one").replace(host, "00000001"))
    record.unlink()
