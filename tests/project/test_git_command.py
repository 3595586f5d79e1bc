from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from make_metrics.project import git_command
from make_metrics.project.git_command import Facts, facts
from make_metrics.project.git_head import Head
from tests.support.git_repository import TIME, commit, git


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git may be slow on a busy machine."""
    monkeypatch.setattr(git_command, "_LIMIT_S", 60)


def head_of(repository: Path, branch: str = "master", head: str = "") -> Head:
    head = head or git(repository, "rev-parse", "HEAD")
    return Head(str(repository), head, branch)


@pytest.mark.parametrize(("branch", "default"), [("master", True), ("main", True), ("topic", False), ("", False)])
def test_the_commits_time_and_the_branch_are_known(repository: Path, branch: str, default: bool) -> None:
    assert facts(head_of(repository, branch)) == Facts(default, TIME)


def test_git_is_asked_about_the_commit_of_the_run(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    then = head_of(repository)
    monkeypatch.setenv("GIT_COMMITTER_DATE", "2022-01-01T00:00:00+00:00")
    commit(repository)
    assert facts(then).commit_time == TIME
    assert facts(head_of(repository)).commit_time == "2022-01-01T00:00:00+00:00"


def test_without_a_commit_all_is_unknown(repository: Path) -> None:
    assert facts(Head(str(repository), "", "master")) == Facts()
    assert facts(Head(str(repository), "--output=/tmp/x")) == Facts()
    assert facts(Head()) == Facts()


def test_a_repository_or_commit_that_is_gone_leaves_the_branch(repository: Path, tmp_path: Path) -> None:
    assert facts(head_of(repository, head="0" * 40)) == Facts(True, None)
    assert facts(Head(str(tmp_path / "gone"), "1" * 40, "x")) == Facts(False, None)


def test_without_git_only_the_branch_is_known(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = head_of(repository)
    monkeypatch.setenv("PATH", "/nowhere")
    assert facts(known) == Facts(True, None)


def test_the_environment_of_a_hook_is_ignored(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = head_of(repository)
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere/index")
    assert facts(known) == Facts(True, TIME)


GPG = """#!/bin/sh
cat >/dev/null
case "$*" in
*--verify*) touch "$0.was-asked" ;;
*) echo '[GNUPG:] SIG_CREATED ' >&2; echo -----BEGIN PGP SIGNATURE-----; echo -----END PGP SIGNATURE----- ;;
esac
"""


def test_signatures_are_not_checked(repository: Path, tmp_path: Path) -> None:
    gpg = tmp_path / "gpg"
    gpg.write_text(GPG)
    gpg.chmod(0o755)
    for setting in ("log.showSignature true", f"gpg.program {gpg}", "commit.gpgSign true", "user.signingKey a"):
        subprocess.run(["git", "-C", repository, "config", *setting.split()], check=True)
    commit(repository)
    assert facts(head_of(repository)) == Facts(True, TIME)
    assert not (tmp_path / "gpg.was-asked").exists()
    subprocess.run(["git", "-C", repository, "show", "-s"], check=False, capture_output=True)
    assert (tmp_path / "gpg.was-asked").exists()


def test_a_git_that_hangs_is_given_up(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = head_of(repository)
    slow = tmp_path / "bin"
    slow.mkdir()
    (slow / "git").write_text("#!/bin/sh\nexec sleep 60\n")
    (slow / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{slow}:{os.environ['PATH']}")
    monkeypatch.setattr(git_command, "_LIMIT_S", 0.2)
    assert facts(known) == Facts(True, None)
