"""Gather the pages for the site in a folder: `python -m ci.site FOLDER`.

The pages are written for the repository: README.md is the first one, and links lead from `docs/` to files beside it and
to folders. On the site a link to a page stays a link, and a link to any other file becomes its words.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"(^ *```.*?^ *```$)", re.MULTILINE | re.DOTALL)


def site_paths() -> dict[Path, Path]:
    """Where each page and picture of the repository is on the site, relative to its root."""
    paths = {ROOT / "README.md": Path("index.md"), ROOT / "docs/decisions": Path("decisions/index.md")}
    paths |= {ROOT / name: Path(name) for name in ("CONTRIBUTING.md", "CHANGELOG.md")}
    for path in (ROOT / "docs").rglob("*"):
        if path.suffix in (".md", ".svg", ".json"):
            paths[path] = path.relative_to(ROOT / "docs")
    return paths


def for_site(page: Path, text: str, paths: dict[Path, Path]) -> str:
    """A page's text with links as the site has them."""

    def link(match: re.Match[str]) -> str:
        mark, words, target = match.groups()
        name, hash_sign, anchor = target.partition("#")
        if not name or re.match(r"[a-z]+:", target):
            return match[0]
        path = (page.parent / name).resolve()
        if path not in paths:
            return words
        relative = os.path.relpath(paths[path], paths[page].parent)
        return f"{mark}[{words}]({relative}{hash_sign}{anchor})"

    pieces = _FENCE.split(text)
    return "".join(piece if number % 2 else _LINK.sub(link, piece) for number, piece in enumerate(pieces))


def decisions() -> str:
    """The page that lists the decisions."""
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    titles = [(page.name, page.read_text().partition("\n")[0].removeprefix("# ")) for page in pages]
    return "# Decisions\n\n" + "".join(f"- [{title}]({name})\n" for name, title in titles)


def gather(folder: Path) -> None:
    """Write all pages and pictures below a folder, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    paths = site_paths()
    for source, target in paths.items():
        place = folder / target
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            place.write_text(decisions())
        elif source.suffix == ".md":
            place.write_text(for_site(source, source.read_text(), paths))
        else:
            shutil.copyfile(source, place)


if __name__ == "__main__":
    gather(Path(sys.argv[1]))
