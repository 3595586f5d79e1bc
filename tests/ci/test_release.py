"""What stands in the way of a release."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ci.release import obstacles
from tests.support.project import ROOT


def git(folder: Path, *words: str) -> None:
    command = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "shim/make_metrics").mkdir(parents=True)
    (tmp_path / "shim/make_metrics/__init__.py").write_text('__version__ = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n\n## 1.2.0 (2026-11-26)\n\n- A change.\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    return tmp_path


def test_nothing_stands_in_the_way_of_a_checkout_that_is_ready(checkout: Path) -> None:
    assert list(obstacles(checkout, "v1.2.0")) == []
    git(checkout, "tag", "v1.2.0")
    assert list(obstacles(checkout, "v1.2.0")) == []


def test_each_obstacle_is_told(checkout: Path) -> None:
    assert "the tag is v1.3.0, and the version v1.2.0" in " ".join(obstacles(checkout, "v1.3.0"))
    git(checkout, "tag", "v1.2.0")
    (checkout / "CHANGELOG.md").write_text("# Changes\n\n## Unreleased\n")
    assert [text.partition(":")[0] for text in obstacles(checkout, "v1.2.0")] == [
        "CHANGELOG.md must have '## 1.2.0 (YEAR-MONTH-DAY)' first, with all changes below it",
        "the checkout has changes that are not committed",
    ]
    git(checkout, "commit", "--quiet", "-am", "second")
    assert "the tag v1.2.0 is already at another commit" in " ".join(obstacles(checkout, "v1.2.0"))


@pytest.mark.parametrize(
    ("unreleased", "stands_in_the_way"), [("", False), ("\n", False), ("\n- A change.\n", True), ("A change.\n", True)]
)
def test_a_change_that_is_not_released_stands_in_the_way(
    checkout: Path, unreleased: str, stands_in_the_way: bool
) -> None:
    text = f"# Changes\n\n## Unreleased\n{unreleased}\n## 1.2.0 (2026-11-26)\n\n- A change.\n"
    (checkout / "CHANGELOG.md").write_text(text)
    git(checkout, "commit", "--quiet", "-am", "second")
    assert bool(list(obstacles(checkout, "v1.2.0"))) == stands_in_the_way


def test_the_version_of_this_checkout_is_found() -> None:
    assert "and the version v0." in " ".join(obstacles(ROOT, "none"))
