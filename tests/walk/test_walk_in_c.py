"""The launcher's walk and the Python walk find the same: for each make of a tree both walk, and both write the same.

Each recipe begins with a line that walks again in Python (tests/support/walk_again.py), into a state directory of its
own. The interpreter that the fragment names is a script that counts: the launcher's walk must not have needed it where
the tree is usual.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from make_metrics.consent import decision_file
from make_metrics.project.root import project_key
from make_metrics.setup import fragment
from make_metrics.sweep.backlog import MANY_RECORDS
from tests.support.launcher_variant import asks_nothing
from tests.support.namespaces import BOTH, HIDDEN, PID, TIME, USER, needs
from tests.support.project import ROOT, SOURCE, Project, markers, started, until

AGAIN = ROOT / "tests/support/walk_again.py"
ENTRY = SOURCE / "make_metrics/entry.py"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture
def tree(any_make: str, home: Path, tmp_path: Path) -> Tree:
    if not fragment.launcher():
        pytest.skip("no compiled fast path here")
    return Tree(Project(tmp_path / "project", home, any_make), tmp_path)


class Tree:
    """A project whose makes walk twice."""

    def __init__(self, project: Project, folder: Path) -> None:
        self.project = project
        self.again, self.started = folder / "again", folder / "started"
        python = folder / "python-that-counts"
        python.write_text(f'#!/bin/sh\ncase " $* " in *" walk "*) echo "$*" >>{self.started} ;; esac\n'
                          f'exec {sys.executable} "$@"\n')  # fmt: skip
        python.chmod(0o755)
        project.edit_fragment(f".metrics.baked.python := {sys.executable}\n", f".metrics.baked.python := {python}\n")
        # The first line reads what the others are made of, when make looks for the shell: here it is asked for before.
        self.line = (
            f"@$(.metrics.read){sys.executable} -I -S {AGAIN} {self.again} {ENTRY} "
            "g:$(.metrics.goal) $(firstword $(.metrics.meta))"
        )

    def write(self, text: str, name: str = "Makefile") -> None:
        """A makefile; AGAIN stands for the line that walks again."""
        self.project.write(text.replace("AGAIN", self.line), name)

    def check(self, *, native: bool = True) -> list[dict[str, str]]:
        """Both walks found the same; gives the headers, each by name."""
        state = self.project.paths.state
        assert _markers(state) == _markers(self.again)
        assert _markers(state)
        ours, theirs = _headers(state), _headers(self.again)
        assert [_text(header) for header in ours] == [_text(header) for header in theirs]
        for one, other in zip(ours, theirs, strict=True):
            assert abs(int(one["wall_ns"]) - int(other["wall_ns"])) < 500_000_000  # two readings of two clocks
        assert not native or asks_nothing() or not self.started.exists()
        return ours


def _markers(state: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in markers(state / "makes")}


def _headers(state: Path) -> list[dict[str, str]]:
    """The headers of all records. A make without the line may have two: makes below it look for its marker at once."""
    found: dict[str, dict[str, str]] = {}
    for path in (state / "records").glob("*.rec"):
        for entry in path.read_text().splitlines():
            if entry.startswith("M "):
                header = dict(word.split("=", 1) for word in entry.split(" ")[1:-1])
                header["record"] = path.name.partition("~")[0]
                found[header["key"]] = header
    return [found[key] for key in sorted(found)]


def _text(header: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, word) for name, word in header.items() if name != "wall_ns"]


def test_a_make_alone(tree: Tree) -> None:
    tree.write("all:\n\tAGAIN\n")
    assert tree.project.make().returncode == 0
    (header,) = tree.check()
    assert (header["goals"], header["level"], header["ceiling"]) == ("all", "0", "on")


def test_a_first_line_that_starts_nothing_walks_in_its_own_process(tree: Tree) -> None:
    tree.write("all:\n\t@:\n\tAGAIN\n\t@$(MAKE) -C below\n")
    tree.write("all: a\n\tAGAIN\na:\n\t@:\n", "below/Makefile")
    assert tree.project.make("-k").returncode == 0
    top, below = tree.check()
    assert (top["level"], below["level"], below["parent"]) == ("0", "1", top["key"])
    assert (top["keep_going"], below["keep_going"]) == ("1", "1")


@pytest.mark.asks_system
def test_a_first_line_that_starts_nothing_starts_no_process(tree: Tree) -> None:
    """But the launcher itself; the run is in the record, and its marker."""
    project = tree.project
    if not shutil.which("strace"):
        pytest.skip("no strace here")
    project.write("all:\n\t@:\n")
    assert project.make().returncode == 0  # leaves what tells the next make that the launcher runs
    log = project.folder / "log"
    words = ["strace", "-f", "-o", str(log), "-e", "trace=fork,vfork,clone,clone3", project.make_path]
    assert project.run(words).returncode == 0
    assert len(re.findall(r"fork\(|clone3?\(", log.read_text())) == 1
    (first, second) = (path.read_text() for path in project.records())
    assert [line[:2] for line in second.splitlines() if line] == [line[:2] for line in first.splitlines() if line]
    assert len(markers(project.paths.makes)) == 2


def test_what_a_line_that_starts_nothing_does_not_understand_is_left_to_python(tree: Tree) -> None:
    tree.write("all:\n\t@:\n\tAGAIN\n")
    env = tree.project.environment(TRACEPARENT=f"{TRACE}-\u00e9")
    assert tree.project.make(env=env).returncode == 0
    tree.check(native=False)
    assert tree.started.exists()


@pytest.mark.parametrize("is_first", [True, False], ids=["no state yet", "state"])
def test_the_first_lines_of_many_jobs_write_one_header(tree: Tree, *, is_first: bool) -> None:
    """Where lines find our directories, the first leaves a mark: a launcher that asks nothing then runs the others.

    Each of them starts a walk in Python, beside the one of the first lines, which Python runs and knows the make of.
    """
    if not is_first:
        for folder in (tree.project.paths.state, tree.project.paths.records, tree.project.paths.makes):
            folder.mkdir(mode=0o700)
    targets = " ".join(f"t{number}" for number in range(12))
    tree.write(f"all: {targets}\n{targets}:\n\tAGAIN\n\t@:\n")
    assert tree.project.make("-j12").returncode == 0
    tree.check()
    (path,) = tree.project.records()
    assert path.read_text().count("\nM ") == 1
    assert path.read_text().count("\nL ") == 24


@pytest.mark.asks_system
def test_forty_levels(tree: Tree) -> None:
    tree.write("LEFT ?= 40\nall:\n\tAGAIN\n\t@if [ $(LEFT) != 1 ]; then $(MAKE) LEFT=$$(($(LEFT) - 1)); fi\n")
    assert tree.project.make().returncode == 0
    assert sorted(int(header["level"]) for header in tree.check()) == list(range(40))


def test_a_make_without_the_line_gets_its_header_from_the_makes_below(tree: Tree) -> None:
    tree.project.write("all:\n\t@$(MAKE) -C sub & $(MAKE) -C sub; wait\n", line="")
    tree.write("all:\n\tAGAIN\n", "sub/Makefile")
    assert tree.project.make().returncode == 0
    assert sorted((header["level"], header["version"] == "-") for header in tree.check()) == [
        ("0", True), ("1", False), ("1", False)
    ]  # fmt: skip


def test_a_make_whose_parent_has_been_killed(tree: Tree) -> None:
    """The make below is then a child of whoever takes orphans in, and is a run of its own."""
    waits = "while kill -0 $$PPID 2>/dev/null; do sleep 0.01; done"
    tree.project.write(f"all:\n\t@({waits}; $(MAKE) -C sub; touch done) & kill -KILL $$PPID; sleep 60\n", line="")
    tree.write("all:\n\tAGAIN\n", "sub/Makefile")
    tree.project.make(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, capture_output=False)
    until(lambda: (tree.project.folder / "done").exists())
    (header,) = tree.check()
    assert (header["level"], header["parent"]) == ("0", "-")


def test_makefiles_that_only_print_are_no_run(tree: Tree) -> None:
    tree.write("all:\n\t+AGAIN\n")
    tree.project.make("-n")
    assert not (tree.project.paths.state / "makes").exists()
    assert not tree.started.exists()


def test_in_ci_a_decision_for_another_project_allows_nothing(tree: Tree) -> None:
    tree.write("all:\n\tAGAIN\n")
    _decide(tree, tree.project.folder, "other")
    assert tree.project.make(env=tree.project.environment(CI="true")).returncode == 0
    assert set(_markers(tree.project.paths.state).values()) == {"-"} == set(_markers(tree.again).values())
    assert not tree.started.exists()


@pytest.mark.asks_system
@pytest.mark.parametrize(
    ("kind", "native"), [("no", True), ("yes", True), ("other", True), ("damaged", False), ("by hand", False)]
)
def test_a_decision_in_our_own_form_needs_no_python(tree: Tree, kind: str, native: bool) -> None:
    tree.write("all:\n\tAGAIN\n\t@$(MAKE) -C sub\n")
    tree.write("all:\n\tAGAIN\n", "sub/Makefile")
    _decide(tree, tree.project.folder, kind)
    for env in ({}, {"CI": "true"}):
        assert tree.project.make(env=tree.project.environment(**env)).returncode == 0
    assert _markers(tree.project.paths.state) == _markers(tree.again)
    assert tree.started.exists() is not native


@pytest.mark.asks_system
def test_a_backlog_is_combined_while_a_long_line_runs(tree: Tree) -> None:
    tree.write("all:\n\t@:\nlong:\n\t@while [ -e lasts ]; do sleep 0.05; done\n")
    for _ in range(MANY_RECORDS):
        assert tree.project.make().returncode == 0
    assert not tree.started.exists()
    assert len(tree.project.records()) == MANY_RECORDS
    lasts = tree.project.folder / "lasts"
    lasts.touch()
    with started(tree.project.start("long")) as make:
        until(lambda: len(tree.project.records()) == 1)
        lasts.unlink()
        assert make.wait(60) == 0
    assert " walk combine " in tree.started.read_text()


WRAPPERS = [
    "{make}", "env {make}", "nice {make}", "sh -c '{make}; exit $$?'", "timeout 60 {make}", "(cd . && {make})",
    "env -i PATH=$$PATH HOME=$$HOME MAKE_METRICS_HOME=$$MAKE_METRICS_HOME {make}", "setsid -w {make}",
    "env MAKEFLAGS= {make}", "bash -c 'exec -a renamed {make}'", "cp $$(command -v make) ./gmake && ./gmake",
    "cp $$(command -v make) ./bmk && ./bmk", "env DO_NOT_TRACK=1 {make}", "env -u HOME {make}",
    "env MAKE_METRICS=log {make}",
    "MAKEFLAGS='k -j3 -- A=b' {make}", "CI=true {make}", "XDG_CONFIG_HOME=/nowhere {make}", "LC_ALL=C {make}",
    "printf '#!/bin/sh\\n\"$$REAL\" \"$$@\"\\n' > ./make; chmod +x make; REAL=$$(command -v make) ./make",
    "env -i PATH=$$PATH HOME=$$HOME MAKE_METRICS_HOME=$$MAKE_METRICS_HOME MAKEFLAGS=k {make}",
    "sh -c '\"$$0\" \"$$@\" & wait $$!' {make}",
]  # fmt: skip
OPTIONS = [
    "", "-k", "-i", "-j2", "-j", "-j1", "--jobs=3", "--jobs", "-sk", "-rR", "-Oline -j2", "-l2", "--no-print-directory",
    "A=b", "A='x y'", "--eval='x:=y'", "-kj 2", "--keep-going", "-W none", "--what-if=none", "--debug=n", "-I .",
    "-w", "--load-average 3", "--max-load=2.5", "-ik -j4 -O", "--assume-old=x", "-o x", "'B=-n'", "--trace", "-B",
    "-f Makefile", "--file=Makefile", "--makef Makefile -kfMakefile",
]  # fmt: skip
GOALS = [
    "",
    "all",
    "all more",
    "more all more",
    "ümlaut all",
    "-- all",
    "all A=1 more",
    "'wi th'",
    "a%b",
    "@x more",
    "-",
]
ENVIRONMENTS: list[dict[str, str]] = [
    {}, {"DO_NOT_TRACK": "1"}, {"MAKE_METRICS": "local"}, {"MAKE_METRICS": "on"}, {"MAKE_METRICS": "odd"},
    {"DO_NOT_TRACK": "0"}, {"CI": "true"}, {"CI": "false"}, {"GITHUB_ACTIONS": "true", "CI": "true"},
    {"JENKINS_URL": "x"}, {"TRACEPARENT": TRACE}, {"TRACEPARENT": f"01{TRACE[2:]}-more"},
    {"TRACEPARENT": f"{TRACE}-more"}, {"TRACEPARENT": TRACE.replace("0af", "0AF")}, {"TRACEPARENT": f"ff{TRACE[2:]}"},
    {"MAKE_METRICS_IS_TEST": "yes"}, {"MAKE_METRICS_IS_TEST": "a b/ü"}, {"LANG": "C"}, {"LC_ALL": "en_US.UTF-8"},
    {"XDG_DATA_HOME": "/nowhere"}, {"GITLAB_CI": "1"}, {"LC_ALL": "de_DE.ISO-8859-1"}, {"GNUMAKEFLAGS": "-k"},
    {"CLAUDECODE": "1"}, {"bamboo_planKey": "x"}, {"AGENT": "false", "CI": "1"},
]  # fmt: skip


def _git(folder: Path, *words: str) -> None:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a",
           "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a"}  # fmt: skip
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, env=env)


def _repository(folder: Path, kind: str) -> None:
    """What is checked out around a tree, in many ways."""
    if kind == "none":
        return
    _git(folder, "init", "-q", "-b", "main")
    if kind == "unborn":
        return
    _git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    if kind == "packed":
        for number in range(30):
            _git(folder, "branch", f"branch-{number}")
        _git(folder, "pack-refs", "--all")
    elif kind == "detached":
        _git(folder, "checkout", "-q", "--detach")
    elif kind == "branch":
        _git(folder, "checkout", "-q", "-b", "a/ümlaut-b")
    elif kind == "linked":
        (folder / "elsewhere").mkdir()
        _git(folder, "worktree", "add", "-q", "sub/tree")
    elif kind == "damaged":
        (folder / ".git/HEAD").write_text("ref: refs/heads/../../x\n")
    elif kind == "empty":
        (folder / ".git/HEAD").write_text("")
    elif kind == "link":
        (folder / ".git/HEAD").unlink()
        (folder / ".git/HEAD").symlink_to("refs/heads/main")
    elif kind == "pipe":
        (folder / ".git/HEAD").unlink()
        os.mkfifo(folder / ".git/HEAD")


REPOSITORIES = ["none", "unborn", "plain", "packed", "detached", "branch", "linked", "damaged", "empty", "link", "pipe"]
DECISIONS = ["none", "no", "yes", "other", "damaged", "unreadable", "by hand", "copied", "link"]


def _decide(tree: Tree, folder: Path, kind: str) -> None:
    """A decision about the project in a folder, in many forms."""
    directory = tree.project.paths.decisions
    if kind == "none":
        return
    directory.mkdir(parents=True)
    (tree.project.folder / "make-metrics.toml").write_text("# none\n" if kind == "no" else "")
    project = str(folder) if kind != "copied" else "/elsewhere"
    record = decision_file.Record(project, kind == "yes", 1, "notice", ("segment host",) if kind != "no" else ())
    path = directory / f"{project_key(folder if kind != 'other' else Path('/x'))}.json"
    path.write_bytes(decision_file.dump(record))
    if kind == "damaged":
        path.write_bytes(path.read_bytes()[:-9])
    elif kind == "unreadable":
        path.unlink()
        path.mkdir()
    elif kind == "by hand":
        path.write_text(json.dumps(json.loads(path.read_bytes())))
    elif kind == "link":
        path.rename(path.with_name("x"))
        path.symlink_to("x")


@pytest.mark.parametrize("seed", range(24))
def test_generated_trees(tree: Tree, seed: int) -> None:
    choose = random.Random(seed)  # noqa: S311
    project = tree.project
    folder = project.folder / choose.choice(["a", "b c", "ünï", "x%y", "d"])
    depth = choose.randint(1, 5)
    here = folder
    for level in range(depth):
        make = f"$(MAKE) {choose.choice(OPTIONS)} -C ./sub {choose.choice(GOALS)}"
        wrapped = choose.choice(WRAPPERS)
        inner = wrapped.replace("{make}", make) if "{make}" in wrapped else f"{wrapped} -C ./sub {choose.choice(GOALS)}"
        recipe = f"\tAGAIN\n\t@{inner}\n" if level + 1 < depth else "\tAGAIN\n"
        text = f".PHONY: all\nall more ümlaut wi\\ th a\\%b @x -:\n{recipe}"
        name = str((here / "Makefile").relative_to(project.folder))
        if 0 < level < depth - 1 and choose.random() < 0.2:  # a make without the line
            project.write(text.replace("\tAGAIN\n", ""), name, line="")
        else:
            tree.write(text, name)
        here = here / "sub"
    _repository(folder if choose.random() < 0.7 else project.folder, choose.choice(REPOSITORIES))
    _decide(tree, folder, choose.choice(DECISIONS) if choose.random() < 0.5 else "none")
    env = project.environment(**{**choose.choice(ENVIRONMENTS), **(choose.choice(ENVIRONMENTS) if seed % 2 else {})})
    words = choose.choice(OPTIONS).replace("'", "").split(" ")
    done = project.make("-C", str(folder), *[word for word in words if word], env=env)
    makes = project.paths.state / "makes"
    if makes.exists() and list(makes.iterdir()):
        tree.check(native=False)
    else:
        assert "CI" in env or "JENKINS_URL" in env or done.returncode


@pytest.mark.asks_system
@pytest.mark.parametrize(
    "inside", [PID, USER, HIDDEN, TIME, BOTH], ids=["pid", "user and pid", "hidden", "time", "time and pid"]
)
def test_a_make_in_a_name_space(tree: Tree, inside: tuple[str, ...]) -> None:
    needs(*inside)
    tree.write(f"all:\n\tAGAIN\n\t@{' '.join(inside)} $(MAKE) -C sub\n")
    tree.write("all:\n\tAGAIN\n", "sub/Makefile")
    assert tree.project.make().returncode == 0
    tree.check(native=inside not in (USER, HIDDEN))  # of makes outside it cannot see everything
