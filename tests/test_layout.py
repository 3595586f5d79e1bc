"""Where tests stand: they mirror the package, and nothing imports a test file; `ci` and the package import no tests."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.project import ROOT, SOURCE

PACKAGE = SOURCE / "make_metrics"
TESTS = ROOT / "tests"
LINES_IN_A_FILE = 500
# Folders of tests that are no folder of the package, and what they hold.
OTHER_FOLDERS = {
    "builds": "whole builds by real makes",
    "cases": "the black-box cases of the conformance suite",
    "ci": "tests of ci/",
    "compatibility": "what an older version wrote or installed",
    "docs": "tests of docs/ and README.md",
    "make_include": "tests of make_include/metrics.mk",
    "support": "helpers",
}
# Test files in a folder of the package that are named after no module of it, and why.
OTHER_FILES = {
    "hot/test_hot_path.py": "what a line loads and costs: all modules of the folder",
    "hot/test_known_make.py": "in_c/known_make.c: what a line leaves for the lines that follow",
    "hot/test_launcher.py": "launcher.c: faults, locks and signals",
    "hot/test_launcher_constants.py": "in_c/constants.h: its constants are those of the Python modules",
    "hot/test_launcher_lines.py": "launcher.c: generated lines",
    "hot/test_launcher_words.py": "launcher.c: its functions, called one by one",
    "hot/test_process_arguments.py": "launcher.c: what macOS tells of a process, parsed",
    "metrics/test_installed_metrics.py": "metrics of an installed distribution, from make to receiver",
    "sender/test_in_container.py": "start.py and sender.py in containers of a real engine",
    "sender/test_beside.py": "start.py and sender.py where no process may outlive make",
    "sender/test_rest.py": "in_c/sender.c and burst.py: what waits for the next turn",
    "server/receiving/test_clients.py": "client libraries of others send to the receiver",
    "server/storage/test_backup.py": "copies and dumps of both databases",
    "sinks/test_other_clients.py": "an installed sink with a client library of its own",
    "sinks/otlp/test_server.py": "OTLP requests at a server that others wrote",
    "sweep/test_old_data.py": "a sweep that deletes what is too old, or too much",
    "sweep/test_sweep_crash.py": "a sweep that is killed between its steps",
    "sweep/test_sweep_metrics.py": "a sweep that has metrics computed",
    "walk/test_walk_in_c.py": "hot/in_c/walk.c: the launcher's walk beside the Python walk",
    "test_import_order.py": "the imports of the whole package",
    "test_layout.py": "this file",
}


def python_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "cases" not in path.relative_to(folder).parts)


def imported(text: str) -> Iterator[str]:
    """The full names that a Python file imports; `from a import b` gives `a.b`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_of(name: str, package: str) -> bool:
    return name.split(".")[0] == package


def is_test_file(name: str) -> bool:
    return is_of(name, "tests") and any(part.startswith("test_") or part == "conftest" for part in name.split("."))


def module_of(path: Path) -> Path:
    """The module of the package that a test file is named after."""
    return PACKAGE / path.relative_to(TESTS).with_name(path.name.removeprefix("test_"))


@pytest.mark.parametrize(
    "statement",
    ["import tests.support.project", "from tests import support", "def late():\n    from tests.support import project"],
)
def test_an_import_of_test_code_is_seen(statement: str) -> None:
    assert [name for name in imported(statement) if is_of(name, "tests")]


@pytest.mark.parametrize("statement", ["from tests.hot import test_line", "from tests.hot.test_line import CASES"])
def test_an_import_of_a_test_file_is_seen(statement: str) -> None:
    assert [name for name in imported(statement) if is_test_file(name)]


@pytest.mark.parametrize("path", python_files(ROOT / "ci"), ids=lambda path: str(path.relative_to(ROOT)))
def test_ci_imports_no_test_code(path: Path) -> None:
    assert [name for name in imported(path.read_text()) if is_of(name, "tests")] == []


def test_the_package_imports_neither_tests_nor_ci() -> None:
    for path in python_files(PACKAGE):
        names = [name for name in imported(path.read_text()) if is_of(name, "tests") or is_of(name, "ci")]
        assert names == [], path


def test_nothing_imports_a_test_file() -> None:
    for path in python_files(TESTS):
        assert [name for name in imported(path.read_text()) if is_test_file(name)] == [], path


def test_each_folder_of_tests_is_one_of_the_package_or_in_the_list() -> None:
    for path in python_files(TESTS):
        folder = path.parent.relative_to(TESTS)
        if folder.parts and folder.parts[0] not in OTHER_FOLDERS:
            assert (PACKAGE / folder).is_dir(), f"{path}: make_metrics has no folder {folder}"
    for name in OTHER_FOLDERS:
        assert (TESTS / name).is_dir()
        assert not (PACKAGE / name).is_dir(), f"{name} is a folder of make_metrics"


def test_each_test_file_is_named_after_a_module_or_in_the_list() -> None:
    for path in python_files(TESTS):
        name = str(path.relative_to(TESTS))
        if path.name.startswith("test_") and name not in OTHER_FILES and name.split("/")[0] not in OTHER_FOLDERS:
            assert module_of(path).is_file(), f"{name}: there is no {module_of(path).relative_to(SOURCE)}"
    for name in OTHER_FILES:
        assert (TESTS / name).is_file()
        assert not module_of(TESTS / name).exists(), f"{name} is named after a module"


def test_no_file_of_tests_or_ci_is_long() -> None:
    for path in (*python_files(TESTS), *python_files(ROOT / "ci")):
        assert len(path.read_text().splitlines()) <= LINES_IN_A_FILE, path
