"""`python -m ci.ranges`: what it installs is what pyproject.toml admits at least."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from ci import ranges
from ci.build_launcher import ROOT


def test_every_dependency_of_a_build_has_a_lowest_version() -> None:
    lowest = ranges.requirements(ranges.LOWEST)
    assert all("==" in each for each in lowest)
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert [each.replace("==", ">=") for each in lowest][: len(named)] == named
    assert ranges.requirements(ranges.NEWEST)[: len(named)] == named


def test_a_dependency_without_a_lowest_version_is_refused(tmp_path: Path) -> None:
    project = tmp_path / "pyproject.toml"
    project.write_text(
        '[project]\ndependencies = ["psutil"]\n[project.optional-dependencies]\notlp = []\nsentry = []\n'
    )
    with pytest.raises(ValueError, match="psutil has no lowest"):
        ranges.requirements(ranges.LOWEST, project)


def test_the_folders_exist() -> None:
    assert [name for name in ranges.TESTS if not (ROOT / name).is_dir()] == []
