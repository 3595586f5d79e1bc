"""The reference pages name every command, key and variable that there is, and no other."""

from __future__ import annotations

import re
import tomllib

import pytest

from ci import reference
from make_metrics.project import settings_file
from make_metrics.sinks import user_settings
from make_metrics.sinks.kinds import BUILT_IN
from tests.support.pages import codes
from tests.support.project import ROOT, SOURCE

SETTINGS = (ROOT / "docs/reference/settings.md").read_text()
VARIABLES = (ROOT / "docs/reference/variables.md").read_text()
PAGES_WITH_SETTINGS = [page for page in (ROOT / "docs").rglob("*.md") if "[[sinks]]" in page.read_text()]


def keys(page: str, heading: str) -> list[str]:
    """The first column of the table below a heading."""
    section = page.partition(f"\n{heading}\n")[2]
    return re.findall(r"^\| `([\w.-]+)` \|", re.split(r"\n##+ ", section)[0], re.MULTILINE)


def test_the_page_about_commands_is_not_stale() -> None:
    assert reference.main(["--check"]) == 0, "run python -m ci.reference"


def test_the_page_has_every_key_of_a_project() -> None:
    assert keys(SETTINGS, "## `make-metrics.toml`, the project's") == list(settings_file._RULES)


def test_the_page_has_every_key_of_a_user() -> None:
    assert keys(SETTINGS, "## `settings.toml`, yours") == list(user_settings._RULES)


def test_the_page_has_every_key_of_every_kind_of_sink() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (`.+) \|$", SETTINGS.partition("### `[[sinks]]`")[2], re.MULTILINE))
    assert rows.keys() == BUILT_IN.keys()
    for name, row in rows.items():
        needed = {key.name: key.needed for key in BUILT_IN[name].keys}
        assert {key: bool(mark) for key, mark in re.findall(r"`([\w-]+)`( \(needed\))?", row)} == needed


def test_the_example_has_every_key_and_no_problem() -> None:
    (example,) = [code.text for code in codes(SETTINGS) if code.block and "```toml" in code.text]
    document = tomllib.loads(example.strip("`").removeprefix("toml"))
    assert document.keys() == settings_file._RULES.keys()
    by_kind = {table["type"]: table.keys() - {"type"} for table in document["sinks"]}
    assert by_kind == {name: {key.name for key in kind.keys} for name, kind in BUILT_IN.items()}


@pytest.mark.parametrize("page", PAGES_WITH_SETTINGS, ids=lambda page: page.stem)
def test_settings_files_in_pages_are_without_a_fault(page, home) -> None:  # type: ignore[no-untyped-def]
    text = re.sub(r"^ {4}", "", page.read_text(), flags=re.MULTILINE)
    examples = [block for block in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if "[[sinks]]" in block]
    for example in examples:
        _, problems = settings_file.parse(tomllib.loads(example), directory=home)
        assert problems == []


def test_the_page_has_every_variable_of_the_sources() -> None:
    files = [path for path in (SOURCE / "make_metrics").rglob("*") if path.suffix in (".py", ".c", ".sh")]
    pattern = re.compile(r"\b(?:MAKE_METRICS(?:_[A-Z_]+)?|METRICS_[A-Z_]+|XDG_[A-Z_]+)\b")
    used = {name for path in [*files, ROOT / "make_include/metrics.mk"] for name in pattern.findall(path.read_text())}
    assert len(used) > 6
    described = set(re.findall(r"`([A-Z_]{2,})`", VARIABLES))
    inner = [name for name in described if name.endswith("_")]  # what one of our processes says to another
    assert sorted(name for name in used - described if not any(map(name.startswith, inner))) == []
    assert sorted(name for name in described if pattern.fullmatch(name) and name not in used) == []


def test_the_page_has_the_variables_that_make_an_environment_ci() -> None:
    from make_metrics import environment
    from make_metrics.sinks import network

    names = (
        "CI",
        "DO_NOT_TRACK",
        "TRACEPARENT",
        "SUDO_UID",
        *environment.SERVICES_BY_VARIABLE,
        *environment.AGENT_VARIABLES,
        *network._CA_VARIABLES,
    )
    assert [name for name in names if f"`{name}`" not in VARIABLES] == []
