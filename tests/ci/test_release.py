"""What stands in the way of a release."""

from __future__ import annotations

import shutil
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


def test_a_tag_without_its_v_is_told_as_such(checkout: Path) -> None:
    assert list(obstacles(checkout, "1.2.0")) == ["the tag of version 1.2.0 is v1.2.0: ci/release v1.2.0"]


def test_what_an_earlier_release_left_in_dist_stands_in_the_way(checkout: Path) -> None:
    """A maintainer who uploads by hand would upload it again, and the bill of materials was to be of both."""
    (checkout / ".gitignore").write_text("/dist/\n")
    git(checkout, "add", ".")
    git(checkout, "commit", "--quiet", "-m", "second")
    (checkout / "dist").mkdir()
    for version in ("1.1.0", "1.2.0"):
        for end in ("-py3-none-any.whl", ".tar.gz"):
            (checkout / f"dist/make_metrics-{version}{end}").touch()
    assert [text.partition(":")[0] for text in obstacles(checkout, "v1.2.0")] == [
        "dist/make_metrics-1.1.0-py3-none-any.whl is not of version 1.2.0",
        "dist/make_metrics-1.1.0.tar.gz is not of version 1.2.0",
    ]


def test_what_is_no_checkout_is_told(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the unpacked source distribution, which has ci/release in it."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    shutil.rmtree(checkout / ".git")
    (text,) = obstacles(checkout, "v1.2.0")
    assert text.startswith("a release is made of a git checkout, and git says: fatal: not a git repository")


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
