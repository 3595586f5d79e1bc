"""In CI nothing is recorded without a decision: real makes."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from make_metrics.project.root import find_root
from make_metrics.project.settings import NAME
from tests.support.project import ROOT, SOURCE, Project
from tests.support.settings_files import write_settings

SHELL = "all:\n\t@tr '\\0' '\\n' </proc/$$PPID/cmdline | sed -n 1p; :\n"
PLAIN = "all:\n\t@echo all\n"


def status(project: Project, **environ: str) -> str:
    """The mode that `make-metrics status` names."""
    env = {**project.environment(**environ), "PYTHONPATH": str(SOURCE)}
    done = project.run([sys.executable, "-m", "make_metrics", "status", "--json"], env=env)
    return str(json.loads(done.stdout)["mode"])


@pytest.fixture
def plain(tmp_path: Path, home: Path, any_make: str) -> Project:
    """A project for tests of the fragment alone, which is the same for both shims."""
    return Project(tmp_path / "project", home, any_make)


Preparation = Callable[[Project], object]


def run_command(*words: str) -> Preparation:
    return lambda project: project.cli(*words)


def damage_decision(project: Project) -> None:
    project.cli("opt-in", "--yes")
    (decision,) = project.paths.decisions.iterdir()
    decision.write_bytes(decision.read_bytes()[:-9])


def link_decision(project: Project) -> None:
    damage_decision(project)
    (decision,) = project.paths.decisions.iterdir()
    decision.unlink()
    decision.symlink_to("elsewhere")


def change_settings(project: Project) -> None:
    project.cli("opt-in", "--yes")
    (project.folder / NAME).write_text((project.folder / NAME).read_text().replace("faster", "slower"))


def decide_elsewhere(project: Project) -> None:
    """Decide about another project."""
    write_settings(project.folder.parent / "other")
    assert project.cli("opt-in", "--yes", "-C", str(project.folder.parent / "other")).returncode == 0


def do_nothing(project: Project) -> None:
    """Decide nothing."""


# What is done before make runs; whether make then records outside of CI, and in CI.
CASES: dict[str, tuple[Preparation, bool, bool]] = {
    "nothing": (do_nothing, True, False),
    "on-this-machine": (run_command("on-this-machine"), True, True),
    "off": (run_command("off"), False, False),
    "yes": (run_command("opt-in", "--yes"), True, True),
    "no": (run_command("opt-out"), True, True),
    "older": (change_settings, True, True),
    "elsewhere": (decide_elsewhere, True, False),
    "damaged": (damage_decision, False, False),
    "unreadable": (link_decision, False, False),
}


@pytest.mark.parametrize("case", CASES)
def test_a_decision_decides_whether_make_records_in_ci(each: Project, case: str) -> None:
    prepare, outside, in_ci = CASES[case]
    each.write(PLAIN)
    write_settings(each.folder)
    prepare(each)
    for environ, expected in (({}, outside), ({"CI": "true"}, in_ci)):
        done = each.make(env=each.environment(**environ))
        assert (done.returncode, done.stdout, done.stderr) == (0, "all\n", "")
        assert [event.target for event in each.recorded()] == ["all"] * expected
        assert (status(each, **environ) == "off") == (not expected)
        for path in each.records():
            path.unlink()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"CI": ""}, True), ({"CI": "0"}, True), ({"CI": "false"}, True),
        ({"CI": "1"}, False), ({"CI": "true"}, False), ({"CI": "False"}, False), ({"CI": " "}, False),
        ({"CI": "0 false"}, False), ({"CI": "|"}, False), ({"CI": "$(x)"}, False), ({"CI": "a,b)"}, False),
        ({"TF_BUILD": "True"}, False), ({"JENKINS_URL": "https://ci"}, False), ({"TEAMCITY_VERSION": "1"}, False),
        ({"CODEBUILD_BUILD_ARN": "arn:aws"}, False), ({"bamboo_planKey": "A-B"}, False),
        ({"GO_PIPELINE_LABEL": "1"}, False),
        ({"TF_BUILD": "", "CI": "0"}, True), ({"TF_BUILD": "0"}, False),
    ],
    ids=str,
)  # fmt: skip
def test_fragment_and_commands_agree_about_what_is_ci(plain: Project, environ: dict[str, str], expected: bool) -> None:
    plain.write("all:\n\t@echo '$(if $(.metrics.hook),recorded)'\n")
    for option in ("-s", "-e"):
        assert plain.make(option, env=plain.environment(**environ)).stdout == ("recorded\n" if expected else "\n")
    assert status(plain, **environ) == ("local" if expected else "off")


def test_a_variable_of_the_makefile_does_not_make_it_ci(each: Project) -> None:
    for text in ("CI := 1\n", "export CI = true\n", "define TF_BUILD\nx\nendef\n"):
        each.write(text + PLAIN)
        each.make()
        assert len(each.records()) == 1
        each.records()[0].unlink()
    each.make("CI=1")
    assert len(each.records()) == 1


@pytest.mark.parametrize("text", ["CI :=\n", "override CI := 0\n", "export CI = false\n", "unexport CI\n"])
def test_a_makefile_cannot_deny_ci(plain: Project, text: str) -> None:
    plain.write(text + PLAIN)
    assert plain.make(env=plain.environment(CI="true")).stdout == "all\n"
    assert plain.records() == []


def test_in_ci_the_include_line_changes_nothing(each: Project) -> None:
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("no /proc here")
    each.write(SHELL + "nested:\n\t@$(MAKE) -s all\n")
    for goal in ("all", "nested"):
        assert each.make(goal, env=each.environment(CI="true")).stdout == f"{each.make_path}\n"
    assert not each.paths.state.exists()


def test_the_report_says_why_nothing_is_recorded(plain: Project) -> None:
    env = {**plain.environment(CI="true"), "PYTHONPATH": str(SOURCE)}
    done = plain.run([sys.executable, "-m", "make_metrics", "report"], env=env)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("No events yet: ")
    assert "this is CI, and nothing was decided here" in done.stdout


def test_nested_makes_of_other_projects_follow_their_own_decisions(project: Project) -> None:
    for name in ("one", "two"):
        write_settings(project.folder / name)
        project.write(f"{name}:\n\t@echo {name}\n", f"{name}/Makefile")
    project.write("all:\n\t@$(MAKE) -sC one\n\t@$(MAKE) -sC two\n")
    assert project.cli("opt-in", "--yes", "-C", "one").returncode == 0
    assert project.make(env=project.environment(CI="true")).stdout == "one\ntwo\n"
    assert [event.target for event in project.recorded()] == ["one"]


def test_a_copy_that_was_not_set_up_records_nothing_in_ci_either(plain: Project) -> None:
    plain.paths.fragment.unlink()
    plain.line = f"include {ROOT}/make_include/metrics.mk"
    plain.write("all:\n\t@echo '$(if $(.metrics.inert),,recorded)'\n")
    assert plain.make(env=plain.environment(CI="true")).stdout == "\n"
    plain.cli("on-this-machine")
    assert plain.make(env=plain.environment(CI="true")).stdout == "recorded\n"


@pytest.mark.parametrize("name", ["with blank", "a[b]c", "what?", "st*r"])
def test_decisions_are_found_in_a_home_with_any_name(tmp_path: Path, any_make: str, name: str) -> None:
    home = tmp_path / name
    home.mkdir()
    project = Project(tmp_path / "project", home, any_make)
    project.line = f"include {ROOT}/make_include/metrics.mk"
    project.paths.fragment.unlink()
    project.write("all:\n\t@echo '$(if $(.metrics.inert),,recorded)'\n")
    write_settings(project.folder)
    for words, outside, in_ci in (
        (["opt-out"], True, True),
        (["off"], False, False),
        (["on-this-machine"], True, True),
    ):
        assert project.cli(*words).returncode == 0
        for environ, expected in (({}, outside), ({"CI": "1"}, in_ci)):
            done = project.make(env=project.environment(**environ))
            assert done.stdout == ("recorded\n" if expected else "\n")


def test_the_root_of_a_project_is_its_nearest_settings_or_its_repository(tmp_path: Path) -> None:
    (tmp_path / "above").mkdir()
    folders = ["", "above", "above/repository", "above/repository/sub", "above/repository/sub/deep"]
    (tmp_path / "above/repository/sub/deep").mkdir(parents=True)
    (tmp_path / "above/repository/.git").mkdir()
    for with_settings in itertools.product((False, True), repeat=len(folders)):
        for folder, has_settings in zip(folders, with_settings, strict=True):
            path = tmp_path / folder / NAME
            path.write_text("") if has_settings else path.unlink(missing_ok=True)
        for folder, expected in zip(folders, expected_roots(folders, with_settings), strict=True):
            root = find_root(str(tmp_path / folder))
            assert (root.directory, root.settings) == (str(tmp_path / expected), (tmp_path / expected / NAME).exists())


def expected_roots(folders: list[str], with_settings: tuple[bool, ...]) -> list[str]:
    """Outside the repository each folder is its own root; inside, the nearest with settings, else the repository."""
    roots = folders[:2]
    for at in range(2, len(folders)):
        pairs = list(zip(folders, with_settings, strict=True))[2 : at + 1]
        nearest = [folder for folder, has_settings in pairs if has_settings]
        roots.append(nearest[-1] if nearest else folders[2])
    return roots
