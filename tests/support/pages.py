"""What the project's pages name: files, links, modules and commands; and which of these do not exist."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from make_metrics.cli import COMMANDS
from tests.support.project import ROOT, SOURCE

PACKAGE = SOURCE / "make_metrics"
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "tests/cases/README.md"],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)

_FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PATH = re.compile(r"(?<![\w./~@-])(?:[\w.-]+/)+[\w.*-]*")
_FILE = re.compile(r"\.(py|c|sh|mk|md|toml|svg|json|js)$")
_INDENTED = re.compile(r"(?:^ {4}.+\n)+", re.MULTILINE)
_TOP = ("shim", "make_include", "tests", "ci", "docs")
_COMMAND = re.compile(r"(?<!install )(?<!inject )(?<![\w/.-])make-metrics ([a-z][\w-]*)([^`\n]*)")
_MODULE_RUN = re.compile(r"python -m ([\w.]+)")
_TARGET = re.compile(r"make (metrics-[\w-]+)")
_DOTTED = re.compile(r"[a-z_]+(?:\.\w+)+(?:\(\))?")
_PLACEHOLDER = re.compile(r"NNNN|MODE|VERSION|\.\.\.")


class Code(NamedTuple):
    """A piece of code in a page, a span or a whole block."""

    text: str
    block: bool


def codes(text: str) -> Iterator[Code]:
    """The pieces of code in a page."""
    for block in _FENCE.findall(text):
        yield Code(block, block=True)
    outside = _FENCE.sub("", text)
    yield from (Code(block, block=True) for block in _INDENTED.findall(outside))
    spans = re.findall(r"`([^`]+)`", _INDENTED.sub("\n", outside))
    yield from (Code(span.replace("\n", " "), block=False) for span in spans)


def blocks(text: str, language: str) -> list[str]:
    """The blocks of a page that are marked as a language's, without the marks."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def bad_links(page: Path, text: str) -> Iterator[str]:
    """Relative links that lead nowhere."""
    for link in _LINK.findall(_FENCE.sub("", text)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text())):
            yield f"link {link}"


def bad_paths(page: Path, text: str) -> Iterator[str]:
    """Paths of files and folders that do not exist, seen from the root, the package or the page."""
    for code in codes(text):
        for path in _PATH.findall(code.text):
            if path.split("/")[0] not in _TOP and (code.block or not _FILE.search(path)):
                continue  # nothing of ours: an address, a place on the user's machine
            if _PLACEHOLDER.search(path):
                continue
            roots = (ROOT, SOURCE, PACKAGE, page.parent)
            if not any(list(root.glob(path.rstrip("/"))) for root in roots):
                yield f"path {path}"


def bad_modules(text: str) -> Iterator[str]:
    """Modules in `python -m`, and in spans such as `hot.recorder`, that do not exist."""
    for code in codes(text):
        for name in _MODULE_RUN.findall(code.text):
            path = name.rstrip(".").replace(".", "/")
            ours = name.partition(".")[0] in (*_TOP, "make_metrics")
            files = [root / file for root in (ROOT, SOURCE) for file in (f"{path}.py", f"{path}/__main__.py")]
            if not (any(map(Path.is_file, files)) if ours else importlib.util.find_spec(path)):
                yield f"module {name}"
        dotted = not code.block and _DOTTED.fullmatch(code.text) and not _FILE.search(code.text)
        if dotted and (PACKAGE / code.text.partition(".")[0]).is_dir():
            folder, name, *_ = code.text.rstrip("()").split(".")
            if not (PACKAGE / folder / name).is_dir() and not (PACKAGE / folder / f"{name}.py").is_file():
                yield f"module {code.text}"


def bad_commands(text: str) -> Iterator[str]:
    """Commands of make-metrics, options of them, and targets of the fragment that do not exist."""
    commands = {command.name: command for command in COMMANDS}
    fragment = (ROOT / "make_include/metrics.mk").read_text()
    for code in codes(text):
        for name, rest in _COMMAND.findall(code.text):
            if name not in commands:
                if name != "help":  # the parser's own
                    yield f"command {name}"
                continue
            words = re.split(r"#| {2,}| \| |[;,)>]", rest)[0].split()
            options = commands[name].options
            names = {word for option in options for word in option.names}
            choices = {choice for option in options for choice in option.keywords.get("choices", ())}
            if any(not option.names[0].startswith("-") and "choices" not in option.keywords for option in options):
                choices = set()  # anything may stand there
            for word in words:
                word = word.strip("[]")
                if word.startswith("-") and word not in names:
                    yield f"option {word} of {name}"
                if choices and word.isalpha() and word.islower() and word not in choices:
                    yield f"argument {word} of {name}"
        for target in _TARGET.findall(code.text):
            if target not in fragment:
                yield f"target {target}"


def bad_imports(text: str) -> Iterator[str]:
    """Names that an example imports from the package, and that are not there."""
    for code in codes(text):
        for module, names in re.findall(r"^\s*from (make_metrics[\w.]*) import ([\w, ]+)", code.text, re.MULTILINE):
            imported = importlib.import_module(module)
            yield from (
                f"import {name} of {module}" for name in names.replace(",", " ").split() if not hasattr(imported, name)
            )


def problems(page: Path, text: str) -> list[str]:
    """Everything that a page names and that does not exist."""
    checks = (bad_links(page, text), bad_paths(page, text), bad_modules(text), bad_commands(text), bad_imports(text))
    return [problem for check in checks for problem in check]


def layers() -> list[str]:
    """The folders in the order in which they may be imported, as pyproject.toml has it; the first imports no other."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (order,) = (contract["layers"] for contract in settings["contracts"] if contract["type"] == "layers")
    return list(reversed(order))
