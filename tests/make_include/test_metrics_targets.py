"""The targets metrics-opt-in and so on: there if they are goals, and a project's own targets go first."""

from __future__ import annotations

from pathlib import Path

import pexpect
import pytest

from tests.support.project import ROOT, Project
from tests.support.settings_files import write_settings

pytestmark = pytest.mark.skipif(
    ".metrics.asked" not in (ROOT / "make_include" / "metrics.mk").read_text(), reason="the fragment has no targets"
)
TARGETS = ["metrics-opt-in", "metrics-opt-out", "metrics-status", "metrics-report"]
SAID = {
    "metrics-opt-in": "nothing to agree to",
    "metrics-opt-out": "Nothing is sent any more",
    "metrics-status": "mode: local",
    "metrics-report": "No events yet",
}


@pytest.mark.parametrize("target", TARGETS)
def test_each_target_runs_its_command_unmeasured(each: Project, target: str) -> None:
    each.write("all:\n\t@echo all\n")
    done = each.make(target)
    assert SAID[target] in done.stdout + done.stderr
    assert done.returncode == (2 if target == "metrics-opt-in" else 0)
    assert each.records() == []
    assert each.events() == {}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "rule",
    ["{0}:\n\t@echo own\n", "{0}::\n\t@echo own\n", "metrics-%:\n\t@echo own\n", "%{1}:\n\t@echo own\n",
     "{0}: own\nown:\n\t@echo own\n", ".PHONY: {0}\n{0}: own\nown:\n\t@echo own\n"],
)  # fmt: skip
def test_a_projects_own_target_stays_its_own(each: Project, target: str, rule: str) -> None:
    each.write("all:\n\t@echo all\n" + rule.format(target, target.removeprefix("metrics")))
    done = each.make(target)
    assert (done.returncode, done.stdout, done.stderr) == (0, "own\n", "")


def test_the_targets_do_not_show_unless_they_are_goals(each: Project) -> None:
    each.write("all:\n\t@echo all\nhelp:\n\t@grep -h '^[a-z-]*:' $(MAKEFILE_LIST)\n")
    assert each.make().stdout == "all\n"
    assert each.make("help").stdout == "all:\nhelp:\n"
    assert "metrics-" not in each.make("-pn").stdout.replace("make-metrics-", "").split("# Files")[-1]
    done = each.make("other-status")
    assert (done.returncode, "No rule to make target 'other-status'" in done.stderr) == (2, True)
    done = each.make("metrics-status", "mystatus")
    assert (done.returncode, "No rule to make target 'mystatus'" in done.stderr) == (2, True)


def test_a_makefile_without_rules_still_says_so(each: Project) -> None:
    each.write("")
    done = each.make()
    assert (done.returncode, done.stderr) == (2, "make: *** No targets.  Stop.\n".replace("make", each_name(each)))


def each_name(project: Project) -> str:
    """What a make calls itself in its messages."""
    return project.make_path if "/" in project.make_path and Path(project.make_path).name != "make" else "make"


def test_the_targets_work_when_recording_is_off(each: Project) -> None:
    each.write("all:\n\t@echo all\n")
    assert each.cli("off").returncode == 0
    assert "mode: off" in each.make("metrics-status").stdout
    assert "mode: off" in each.make("metrics-status", env=each.environment(MAKE_METRICS="off")).stdout


def test_a_folder_called_make_metrics_in_the_project_is_not_imported(each: Project) -> None:
    each.write("all:\n\t@echo all\n")
    (each.folder / "make_metrics").mkdir()
    (each.folder / "make_metrics" / "__init__.py").write_text("raise SystemExit('not ours')\n")
    assert "mode: local" in each.make("metrics-status").stdout


def test_opt_in_asks_at_the_terminal(each: Project) -> None:
    each.write("all:\n\t@echo all\n")
    write_settings(each.folder)
    words = f"{each.make_path} metrics-opt-in"
    with_terminal = pexpect.spawn(words, cwd=str(each.folder), env=each.environment(), encoding="utf-8", timeout=60)
    with_terminal.expect_exact("May it be sent? [y/N/d] ")
    with_terminal.sendline("yes")
    with_terminal.expect_exact("Thank you.")
    with_terminal.expect(pexpect.EOF)
    with_terminal.close()
    assert with_terminal.exitstatus == 0
    assert "mode: on" in each.make("metrics-status").stdout
    assert each.make("-O", "-j2", "metrics-opt-in").stdout.startswith("You have already said yes.")


def test_opt_in_without_a_terminal_is_an_error_of_one_line(each: Project) -> None:
    each.write("all:\n\t@echo all\n")
    write_settings(each.folder)
    done = each.make("-O", "-j2", "metrics-opt-in")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0].startswith("make-metrics: opt-in asks a question")
    assert not each.paths.config.exists()
