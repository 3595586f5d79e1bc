"""The workflow files: valid by their schema, without what actionlint and zizmor warn of, running scripts that exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ci.build_launcher import VARIANT_VARIABLE
from tests.support.project import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").iterdir())
WORKFLOW = ROOT / ".github/workflows/ci.yml"


def test_the_workflows_are_such_by_their_schema() -> None:
    words = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.github-workflows",
        *map(str, WORKFLOWS),
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_check_would_fail(tmp_path: Path) -> None:
    broken = tmp_path / "ci.yml"
    broken.write_text(WORKFLOW.read_text().replace("runs-on:", "runs-at:"))
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(broken)]
    assert subprocess.run(words, capture_output=True, check=False).returncode == 1


def _actionlint(*paths: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("actionlint")
    if not program.exists():
        pytest.skip("no actionlint for this machine")
    words = [str(program), "-shellcheck=", "-pyflakes=", *map(str, paths)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_expressions_machines_and_dependencies_of_jobs_exist() -> None:
    done = _actionlint(*WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("ubuntu-latest", "ubuntu-16.04"),  # a kind of machine that is gone
        ("matrix.python }}", "matrix.pyhton }}"),
        ("needs: [conformance, sample]", "needs: [conformance, samples]"),
    ],
)
def test_actionlint_would_fail(right: str, wrong: str, tmp_path: Path) -> None:
    broken = tmp_path / "ci.yml"
    broken.write_text(WORKFLOW.read_text().replace(right, wrong))
    assert _actionlint(broken).returncode == 1


def _zizmor(*paths: Path) -> subprocess.CompletedProcess[str]:
    words = [str(Path(sys.executable).with_name("zizmor")), "--offline", "--quiet", *map(str, paths)]
    return subprocess.run(words, capture_output=True, text=True, check=False)


def test_the_workflows_are_safe(tmp_path: Path) -> None:
    done = _zizmor(*WORKFLOWS)
    assert done.returncode == 0, done.stdout + done.stderr
    broken = tmp_path / "ci.yml"
    broken.write_text(re.sub(r"checkout@\w+", "checkout@v4", WORKFLOW.read_text()))
    done = _zizmor(broken)
    assert done.returncode != 0
    assert "unpinned" in done.stdout


SCRIPTS = {script for path in WORKFLOWS for script in re.findall(r"run: (ci/\S+)", path.read_text())}


@pytest.mark.parametrize("script", sorted(SCRIPTS))
def test_what_it_runs_is_there(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)


(SEARCHES,) = re.findall(r"what: \[([a-z, ]+)\]", (ROOT / ".github/workflows/nightly.yml").read_text())


@pytest.mark.parametrize("search", SEARCHES.split(", "))
def test_each_search_of_the_night_is_a_command_with_these_options(search: str, tmp_path: Path) -> None:
    """As the workflow starts it, and with an option of its own; pip is not asked for what is here."""
    nightly = _nightly('[ "$2" = pip ] || printf "%s\\n" "$@"', tmp_path)
    words = [subprocess.check_output([nightly, search, *more], text=True).split() for more in
             (["7"], ["7", "--help"], [])]  # fmt: skip
    (dash_m, module, *options), asked, by_hand = words
    assert (dash_m, asked, len(by_hand)) == ("-m", [*words[0], "--help"], len(words[0]))
    assert [word for word in options if word not in by_hand] == (["7"] if search == "adversary" else [])
    if module != "pytest":
        done = subprocess.run([sys.executable, *asked], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert {word for word in options if word[0] == "-"} <= set(re.findall(r"--\w+", done.stdout))


@pytest.mark.parametrize("search", SEARCHES.split(", "))
def test_one_search_builds_the_launcher_that_asks_nothing_and_tests_it(search: str, tmp_path: Path) -> None:
    nightly = _nightly(f'echo "${{{VARIANT_VARIABLE}-usual}}"', tmp_path)
    env = {name: value for name, value in os.environ.items() if name != VARIANT_VARIABLE}
    printed = subprocess.check_output([nightly, search], env=env, text=True).split()
    assert printed == ["posix" if search == "posix" else "usual"] * 2  # pip, then the search


def _nightly(interpreter: str, tmp_path: Path) -> Path:
    """A copy of ci/nightly with this shell script in the place of the interpreter."""
    folder = tmp_path / "ci"
    folder.mkdir()
    shutil.copy2(ROOT / "ci/nightly", folder)
    (folder / "environment.sh").write_text(f"python={folder}/python\n")
    for name, text in (("needs", ""), ("python", interpreter)):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return folder / "nightly"
