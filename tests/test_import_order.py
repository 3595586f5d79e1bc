"""The order of the package's folders, and the few rules about imports that the order does not cover.

The order and the other contracts are in pyproject.toml (`[tool.importlinter]`). import-linter reads every import, also
those inside functions.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

from tests.support.project import ROOT, SOURCE

PACKAGE = SOURCE / "make_metrics"
MODULES_IN_A_FOLDER, LINES_IN_A_MODULE = 12, 300
CHECK = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(sys.argv[1], no_cache=True))"


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def check(source: Path, configuration: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", CHECK, str(configuration)]
    env = {"PYTHONPATH": str(source)}
    return subprocess.run(words, env=env, cwd=source, capture_output=True, text=True, timeout=100, check=False)


def test_every_import_follows_the_order_of_folders() -> None:
    done = check(SOURCE, ROOT / "pyproject.toml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize(
    ("module", "statement", "contract"),
    [
        ("files/read.py", "from make_metrics.store import store", "A folder imports only"),
        ("store/store.py", "def late() -> None:\n    import make_metrics.walk.walk", "A folder imports only"),
        ("consent/mode.py", "from make_metrics.consent import consent", "No circle"),
        ("hot/procfs.py", "from make_metrics import environment", "The hot path"),
        ("combine/run.py", "import subprocess", "Combining, analysing and reporting"),
        ("server/storage/buckets.py", "from make_metrics.files import read", "The server imports nothing"),
        ("entry.py", "from make_metrics import cli", "Nothing imports the command line"),
    ],
)
def test_an_import_against_a_rule_is_found(tmp_path: Path, module: str, statement: str, contract: str) -> None:
    for path in modules():
        copy = tmp_path / path.relative_to(SOURCE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text())
    (tmp_path / "make_metrics" / module).open("a").write(f"\n{statement}\n")
    done = check(tmp_path, ROOT / "pyproject.toml")
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [line for line in done.stdout.splitlines() if line.endswith("BROKEN")]
    assert any(line.startswith(contract) for line in broken), done.stdout


def test_makes_door_leads_to_the_hot_path_and_the_start_of_the_walk() -> None:
    graph = grimp.build_graph("make_metrics", cache_dir=None)
    imported = graph.find_modules_directly_imported_by("make_metrics.entry")
    outside = {name for name in imported if not name.startswith("make_metrics.hot.")}
    assert outside == {"make_metrics.walk.start"}


def test_only_consent_decides_about_consent() -> None:
    deciding = set()
    for path in modules():
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
            called = node.func if isinstance(node, ast.Call) else None
            if "decide" in names or (isinstance(called, ast.Attribute) and called.attr == "decide"):
                deciding.add(path.relative_to(PACKAGE).parts[0])
            if isinstance(called, ast.Name) and called.id in ("decide", "Ruling"):
                deciding.add(path.relative_to(PACKAGE).parts[0])
    assert deciding == {"consent"}


def test_a_folder_has_about_a_dozen_modules() -> None:
    folders = [
        path for path in PACKAGE.rglob("*") if path.is_dir() and path.name not in ("__pycache__", "hot", "commands")
    ]
    counts = {folder.name: len([path for path in folder.glob("*.py") if path.stem != "__init__"]) for folder in folders}
    assert {name: count for name, count in counts.items() if count > MODULES_IN_A_FOLDER} == {}


def test_a_module_fits_in_a_few_screens() -> None:
    lines = {str(path.relative_to(PACKAGE)): len(path.read_text().splitlines()) for path in modules()}
    assert {name: count for name, count in lines.items() if count > LINES_IN_A_MODULE} == {}
