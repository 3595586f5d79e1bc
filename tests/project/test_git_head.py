"""What is checked out is what git itself says."""

from __future__ import annotations

import os
import resource
import sys
import threading
from pathlib import Path

import pytest

from make_metrics.project import git_head
from tests.support.git_repository import git
from tests.support.project import Project


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
    assert git_head.read_head(str(tree)) == (str(tree), "", "")


def test_a_reference_above_the_repository_is_not_read(tree: Path) -> None:
    (tree.parent / "secret").write_text("0" * 40)
    (tree / ".git/HEAD").write_text("ref: refs/heads/../../../../secret")
    assert git_head.read_head(str(tree)) == (str(tree), "", "")


def test_a_symbolic_branch_is_followed(tree: Path) -> None:
    git(tree, "symbolic-ref", "refs/heads/alias", "refs/heads/trunk/one")
    git(tree, "symbolic-ref", "HEAD", "refs/heads/alias")
    commit = git(tree, "rev-parse", "HEAD")
    branch = git(tree, "symbolic-ref", "HEAD").removeprefix("refs/heads/")
    assert branch == "trunk/one"
    assert git_head.read_head(str(tree)) == (str(tree), commit, branch)
    git(tree, "pack-refs", "--all")
    assert git_head.read_head(str(tree)) == (str(tree), commit, branch)


def test_a_circle_of_symbolic_branches_ends(tree: Path) -> None:
    (tree / ".git/refs/heads/a").write_text("ref: refs/heads/b\n")
    (tree / ".git/refs/heads/b").write_text("ref: refs/heads/a\n")
    (tree / ".git/HEAD").write_text("ref: refs/heads/a\n")
    assert git_head.read_head(str(tree)) == (str(tree), "", "")


def test_a_head_that_is_a_symbolic_link_is_symbolic(tree: Path) -> None:
    """As git wrote it before 2005, and still does with core.preferSymlinkRefs."""
    commit = git(tree, "rev-parse", "HEAD")
    (tree / ".git/HEAD").unlink()
    (tree / ".git/HEAD").symlink_to("refs/heads/trunk/one")
    assert git(tree, "symbolic-ref", "HEAD") == "refs/heads/trunk/one"
    assert git_head.read_head(str(tree)) == (str(tree), commit, "trunk/one")


def test_references_in_tables_are_unknown(tree: Path) -> None:
    """Git's tables are binary, and versions before 2.45 cannot make one: HEAD then holds a name that is none."""
    (tree / ".git/HEAD").write_text("ref: refs/heads/.invalid\n")
    assert git_head.read_head(str(tree)) == (str(tree), "", "")


def test_a_branch_is_found_among_many_packed_ones(tree: Path) -> None:
    packed = tree / ".git/packed-refs"
    git(tree, "pack-refs", "--all")
    commit = git(tree, "rev-parse", "HEAD")
    more = [f"{number:040x} refs/heads/n/{number:06}" for number in range(60_000)]  # more than two blocks
    text = packed.read_text()
    packed.write_text(text + "\n".join(more) + "\n")
    assert git_head.read_head(str(tree)) == (str(tree), commit, "trunk/one")
    for number in (0, 15_887, 15_888, 59_999):
        (tree / ".git/HEAD").write_text(f"ref: refs/heads/n/{number:06}\n")
        assert git_head.read_head(str(tree)) == (str(tree), f"{number:040x}", f"n/{number:06}")


FILES = ["HEAD", "refs/heads/trunk/one", "packed-refs", "commondir", ".git"]


@pytest.mark.parametrize("kind", ["pipe", "zero", "huge"])
@pytest.mark.parametrize("name", FILES)
def test_a_pipe_a_device_or_a_huge_file_holds_nobody(tree: Path, name: str, kind: str) -> None:
    path = tree / name if name == ".git" else tree / ".git" / name
    if name == ".git":
        path.rename(tree / "git")
    elif name == "packed-refs":
        git(tree, "pack-refs", "--all")
    path.unlink(missing_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    else:
        with path.open("wb") as file:
            file.truncate(50_000_000_000)
    head: list[git_head.Head] = []
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    thread = threading.Thread(target=lambda: head.append(git_head.read_head(str(tree))), daemon=True)
    thread.start()
    thread.join(60)
    assert head
    assert head[0].commit == "" or name == "commondir"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000 * (
        1024 if sys.platform == "darwin" else 1
    )


def test_make_is_not_held_by_a_pipe_in_the_repository(project: Project) -> None:
    (project.folder / ".git").mkdir()
    os.mkfifo(project.folder / ".git/HEAD")
    project.write("all:\n\t@echo all\n")
    done = project.make()
    assert (done.returncode, done.stdout, done.stderr) == (0, "all\n", "")
    assert set(project.events()) == {"all"}


def test_outside_of_a_repository_all_is_empty() -> None:
    assert git_head.read_head("/") == ("", "", "")
