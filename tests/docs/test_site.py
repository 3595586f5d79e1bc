"""The site: built in strict mode, which fails on dead links and on pages that no menu shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ci import site
from tests.support.project import ROOT


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    """Build the site from the pages in a folder."""
    settings = (ROOT / "mkdocs.yml").read_text()
    settings = settings.replace(".venv/site/pages", str(folder / "pages")).replace(
        ".venv/site/html", str(folder / "html")
    )
    (folder / "mkdocs.yml").write_text(settings)
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(folder / "mkdocs.yml")]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """The folder of the site's pages."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (pip install --group docs)")
    site.gather(tmp_path / "pages")
    return tmp_path / "pages"


def test_the_site_is_built_without_a_warning(pages: Path, tmp_path: Path) -> None:
    done = build(tmp_path)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "html/index.html").read_text()
    assert "every target is timed and reported" in page
    assert (tmp_path / "html" / re.findall(r'src="(\S+report.svg|report.svg)"', page)[0]).exists()


def test_a_dead_link_is_an_error(pages: Path, tmp_path: Path) -> None:
    with (pages / "faq.md").open("a") as page:
        page.write("\n[nowhere](nowhere.md)\n")
    done = build(tmp_path)
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr


def test_every_page_is_in_the_menu() -> None:
    menu = (ROOT / "mkdocs.yml").read_text()
    pages = {path.as_posix() for path in site.site_paths().values() if path.suffix == ".md"}
    assert [page for page in sorted(pages) if not page.startswith("decisions/0") and f": {page}\n" not in menu] == []
    assert [page for page in re.findall(r": ([\w/-]+\.md)$", menu, re.MULTILINE) if page not in pages] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[a](docs/faq.md#cost)", "[a](faq.md#cost)"),
        ("[a](docs/decisions)", "[a](decisions/index.md)"),
        ("![a](docs/report.svg)", "![a](report.svg)"),
        ("[licence](LICENSE)", "licence"),
        ("[a](https://example.org)", "[a](https://example.org)"),
        ("```\n[a](docs/faq.md)\n```", "```\n[a](docs/faq.md)\n```"),
    ],
)
def test_links_of_the_repository_lead_somewhere_on_the_site(text: str, expected: str) -> None:
    assert site.for_site(ROOT / "README.md", text, site.site_paths()) == expected
