"""What is checked out is what git itself says."""

from __future__ import annotations

from pathlib import Path

import pytest

from make_metrics.project import git_head
from tests.support.git_repository import git


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "sub/folder").mkdir(parents=True)
    git(tree, "init", "-q", "-b", "trunk/one")
    git(tree, "commit", "-q", "--allow-empty", "-m", "one")
    return tree


def test_a_branch_is_read_from_a_folder_below(tree: Path) -> None:
    commit = git(tree, "rev-parse", "HEAD")
    assert git_head.read_head(str(tree / "sub/folder")) == (str(tree), commit, "trunk/one")


def test_a_packed_branch_is_read(tree: Path) -> None:
    git(tree, "pack-refs", "--all")
    assert git_head.read_head(str(tree)) == (str(tree), git(tree, "rev-parse", "HEAD"), "trunk/one")


def test_a_detached_head_has_a_commit_and_no_branch(tree: Path) -> None:
    git(tree, "checkout", "-q", "--detach")
    assert git_head.read_head(str(tree)) == (str(tree), git(tree, "rev-parse", "HEAD"), "")


def test_a_linked_work_tree_has_its_own_branch(tree: Path) -> None:
    git(tree, "worktree", "add", "-q", "-b", "two", "../other")
    git(tree, "commit", "-q", "--allow-empty", "-m", "only on one")
    other = tree.parent / "other"
    git(other, "commit", "-q", "--allow-empty", "-m", "two")
    assert git_head.read_head(str(other)) == (str(other), git(other, "rev-parse", "HEAD"), "two")


def test_a_new_repository_has_a_branch_and_no_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    assert git_head.read_head(str(tmp_path)) == (str(tmp_path), "", "main")


@pytest.mark.parametrize("damage", ["", "ref:", "garbage \x00", "ref: refs/heads/../../../../etc/passwd"])
def test_a_damaged_head_is_no_error(tree: Path, damage: str) -> None:
    (tree / ".git/HEAD").write_text(damage)
    assert git_head.read_head(str(tree)).commit in ("", damage.strip())


def test_outside_of_a_repository_all_is_empty() -> None:
    assert git_head.read_head("/") == ("", "", "")
