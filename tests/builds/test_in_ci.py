"""In CI nothing is recorded before somebody has decided something there: through real makes."""

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
    """For what concerns the fragment alone."""
    return Project(tmp_path / "project", home, any_make)


Deed = Callable[[Project], object]


def decided(*words: str) -> Deed:
    return lambda project: project.cli(*words)


def damaged(project: Project) -> None:
    project.cli("opt-in", "--yes")
    (decision,) = project.paths.decisions.iterdir()
    decision.write_bytes(decision.read_bytes()[:-9])


def unreadable(project: Project) -> None:
    damaged(project)
    (decision,) = project.paths.decisions.iterdir()
    decision.unlink()
    decision.symlink_to("elsewhere")


def older(project: Project) -> None:
    project.cli("opt-in", "--yes")
    (project.folder / NAME).write_text((project.folder / NAME).read_text().replace("faster", "slower"))


def elsewhere(project: Project) -> None:
    """A decision, about another project."""
    write_settings(project.folder.parent / "other")
    assert project.cli("opt-in", "--yes", "-C", str(project.folder.parent / "other")).returncode == 0


def nothing(project: Project) -> None:
    """Nobody was asked, and nobody has said anything."""


# What was done before make runs; whether make then records outside of CI, and in CI.
CASES: dict[str, tuple[Deed, bool, bool]] = {
    "nothing": (nothing, True, False),
    "on-this-machine": (decided("on-this-machine"), True, True),
    "off": (decided("off"), False, False),
    "yes": (decided("opt-in", "--yes"), True, True),
    "no": (decided("opt-out"), True, True),
    "older": (older, True, True),
    "elsewhere": (elsewhere, True, False),
    "damaged": (damaged, False, False),
    "unreadable": (unreadable, False, False),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_recorded(each: Project, case: str) -> None:
    deed, here, in_ci = CASES[case]
    each.write(PLAIN)
    write_settings(each.folder)
    deed(each)
    for environ, expected in (({}, here), ({"CI": "true"}, in_ci)):
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
        ({"TF_BUILD": "", "CI": "0"}, True), ({"TF_BUILD": "0"}, False),
    ],
    ids=str,
)  # fmt: skip
def test_the_fragment_knows_ci_as_the_commands_do(plain: Project, environ: dict[str, str], expected: bool) -> None:
    plain.write("all:\n\t@echo '$(if $(.metrics.hook),recorded)'\n")
    for option in ("-s", "-e"):
        assert plain.make(option, env=plain.environment(**environ)).stdout == ("recorded\n" if expected else "\n")
    assert status(plain, **environ) == ("local" if expected else "off")


def test_a_makefiles_own_variable_is_not_the_environment(each: Project) -> None:
    for text in ("CI := 1\n", "export CI = true\n", "define TF_BUILD\nx\nendef\n"):
        each.write(text + PLAIN)
        each.make()
        assert len(each.records()) == 1
        each.records()[0].unlink()
    each.make("CI=1")
    assert len(each.records()) == 1


@pytest.mark.parametrize("text", ["CI :=\n", "override CI := 0\n", "export CI = false\n", "unexport CI\n"])
def test_a_makefile_cannot_talk_ci_away(plain: Project, text: str) -> None:
    plain.write(text + PLAIN)
    assert plain.make(env=plain.environment(CI="true")).stdout == "all\n"
    assert plain.records() == []


def test_inert_is_as_if_the_line_were_not_there(each: Project) -> None:
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("no /proc here")
    each.write(SHELL + "nested:\n\t@$(MAKE) -s all\n")
    for goal in ("all", "nested"):
        assert each.make(goal, env=each.environment(CI="true")).stdout == f"{each.make_path}\n"
    assert not each.paths.state.exists()


def test_a_report_says_why_there_is_nothing(plain: Project) -> None:
    env = {**plain.environment(CI="true"), "PYTHONPATH": str(SOURCE)}
    done = plain.run([sys.executable, "-m", "make_metrics", "report"], env=env)
    assert (done.returncode, done.stdout[:13]) == (0, "No events yet")
    assert done.stderr == "make-metrics: nothing is recorded here: this is CI, and nothing was decided here\n"


def test_nested_makes_of_other_projects_are_each_decided_by_themselves(project: Project) -> None:
    for name in ("one", "two"):
        write_settings(project.folder / name)
        project.write(f"{name}:\n\t@echo {name}\n", f"{name}/Makefile")
    project.write("all:\n\t@$(MAKE) -sC one\n\t@$(MAKE) -sC two\n")
    assert project.cli("opt-in", "--yes", "-C", "one").returncode == 0
    assert project.make(env=project.environment(CI="true")).stdout == "one\ntwo\n"
    assert [event.target for event in project.recorded()] == ["one"]


def test_a_copy_that_was_not_set_up_is_inert_as_well(plain: Project) -> None:
    plain.paths.fragment.unlink()
    plain.line = f"include {ROOT}/make_include/metrics.mk"
    plain.write("all:\n\t@echo '$(if $(.metrics.inert),,recorded)'\n")
    assert plain.make(env=plain.environment(CI="true")).stdout == "\n"
    plain.cli("on-this-machine")
    assert plain.make(env=plain.environment(CI="true")).stdout == "recorded\n"


@pytest.mark.parametrize("name", ["with blank", "a[b]c", "what?", "st*r"])
def test_what_was_decided_is_found_in_a_home_of_any_name(tmp_path: Path, any_make: str, name: str) -> None:
    home = tmp_path / name
    home.mkdir()
    project = Project(tmp_path / "project", home, any_make)
    project.line = f"include {ROOT}/make_include/metrics.mk"
    project.paths.fragment.unlink()
    project.write("all:\n\t@echo '$(if $(.metrics.inert),,recorded)'\n")
    write_settings(project.folder)
    for words, here, in_ci in ((["opt-out"], True, True), (["off"], False, False), (["on-this-machine"], True, True)):
        assert project.cli(*words).returncode == 0
        for environ, expected in (({}, here), ({"CI": "1"}, in_ci)):
            done = project.make(env=project.environment(**environ))
            assert done.stdout == ("recorded\n" if expected else "\n")


def test_decisions_are_looked_for_where_the_commands_keep_them(tmp_path: Path) -> None:
    """The walk's directories, and its project, are those of the commands, which the tests of those look at."""
    (tmp_path / "above").mkdir()
    places_ = ["", "above", "above/repository", "above/repository/sub", "above/repository/sub/deep"]
    (tmp_path / "above/repository/sub/deep").mkdir(parents=True)
    (tmp_path / "above/repository/.git").mkdir()
    for with_settings in itertools.product((False, True), repeat=len(places_)):
        for place, there in zip(places_, with_settings, strict=True):
            path = tmp_path / place / NAME
            path.write_text("") if there else path.unlink(missing_ok=True)
        for place, root in zip(places_, expected_roots(places_, with_settings), strict=True):
            found = find_root(str(tmp_path / place))
            assert (found.directory, found.settings) == (str(tmp_path / root), (tmp_path / root / NAME).exists())


def expected_roots(places_: list[str], with_settings: tuple[bool, ...]) -> list[str]:
    """Outside of the repository each is its own; inside it is the nearest one with settings, else the repository."""
    roots = places_[:2]
    for at in range(2, len(places_)):
        nearest = [place for place, there in list(zip(places_, with_settings, strict=True))[2 : at + 1] if there]
        roots.append(nearest[-1] if nearest else places_[2])
    return roots
