"""The pages say what is: what they name exists, and the order of folders is the one that is checked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.pages import PACKAGE, PAGES, layers, problems
from tests.support.project import ROOT

ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_names_exists(page: Path) -> None:
    assert problems(page, page.read_text()) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[x](nowhere.md)", "link nowhere.md"),
        ("[x](metrics.md#no-such-heading)", "link metrics.md#no-such-heading"),
        ("`shim/hot/line.py`", "path shim/hot/line.py"),
        ("`hot/book.py`", "path hot/book.py"),
        ("```\nci/nothing --all\n```\n", "path ci/nothing"),
        ("`python -m ci.nothing`", "module ci.nothing"),
        ("`python -m shim`", "module shim"),
        ("`hot.book`", "module hot.book"),
        ("`make-metrics optin`", "command optin"),
        ("`make-metrics report --nothing`", "option --nothing of report"),
        ("`make-metrics crash-reports maybe`", "argument maybe of crash-reports"),
        ("`make metrics-nothing`", "target metrics-nothing"),
        ("```python\nfrom make_metrics.sinks import Nothing\n```\n", "import Nothing of make_metrics.sinks"),
    ],
)
def test_what_does_not_exist_is_found(text: str, problem: str) -> None:
    assert problems(ROOT / "docs/page.md", f"# Page\n\n{text}\n") == [problem]


def test_the_page_about_architecture_has_the_order_that_is_checked() -> None:
    _, _, section = ARCHITECTURE.partition("## The order of the folders")
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", section.partition("\n## ")[0], re.MULTILINE)
    assert [name for name, _ in rows] == layers()
    assert all(text.strip() for _, text in rows)


def test_what_passes_between_the_stages_is_declared_where_the_page_says() -> None:
    _, _, section = ARCHITECTURE.partition("## What passes between the stages")
    rows = re.findall(r"^\|[^|]+\|[^|]+\|([^|]+)\|([^|]+)\|$", section.partition("\n## ")[0], re.MULTILINE)
    names = [(re.findall(r"`([A-Z]\w+)`", what), re.findall(r"`([^`]+)`", where)) for what, where in rows]
    assert sum(len(classes) for classes, _ in names) > 5
    for classes, modules in names:
        text = "".join((PACKAGE / module).read_text() for module in modules)
        assert [name for name in classes if f"\nclass {name}" not in text] == []


def test_every_folder_and_module_at_the_top_is_in_the_order() -> None:
    modules = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    folders = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert modules | folders == set(layers())


def test_the_picture_names_stages_that_exist() -> None:
    names = re.findall(r'font-weight="bold">([\w./]+)</text>', (ROOT / "docs/architecture.svg").read_text())
    stages = {name for name in names if name.endswith(("/", ".py"))}
    assert len(stages) > 10
    assert [name for name in stages if not (PACKAGE / name).exists()] == []


def test_the_readme_fits_one_screen_and_names_what_a_contributor_meets() -> None:
    text = (ROOT / "README.md").read_text()
    assert len(text.splitlines()) <= 52
    met = ("setup", "report", "opt-in", "opt-out", "status", "preview", "sent", "doctor", "off", "on", "uninstall")
    assert [name for name in met if not re.search(rf"(`|make-metrics ){name}\b", text)] == []
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}
    unlinked = [page for page in sorted(pages) if not page.startswith("docs/decisions/") and f"({page})" not in text]
    assert unlinked == []


def test_decisions_have_a_number_each() -> None:
    numbers = sorted(path.name[:4] for path in (ROOT / "docs/decisions").glob("*.md"))
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
