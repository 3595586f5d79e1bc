"""Which makefiles count as the repository's."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from make_metrics.project import git_command, target_names
from make_metrics.project.target_names import TargetNames, spelled_names
from tests.support.git_repository import commit, create_repository, git


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def names(folder: Path, *makefiles: str) -> set[str]:
    return set(spelled_names(str(folder), makefiles).targets)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository that tracks one Makefile."""
    folder = create_repository(tmp_path / "repository", monkeypatch)
    write(folder / "Makefile", "a:\n")
    git(folder, "add", ".")
    commit(folder)
    return folder


def test_the_name_goes_out_or_the_pattern_or_the_word_other() -> None:
    spelled = TargetNames(frozenset({"build"}), ("ssh-%",))
    assert [spelled.public(name) for name in ("build", "ssh-db1", "S3cret-pw", "src/x.o")] == [
        "build", "ssh-%", "other", "%.o",
    ]  # fmt: skip


def test_make_reads_the_first_of_its_default_makefiles(tmp_path: Path) -> None:
    write(tmp_path / "Makefile", "a:\n")
    assert names(tmp_path) == {"a"}
    write(tmp_path / "makefile", "b:\n")
    assert names(tmp_path) == {"b"}
    write(tmp_path / "GNUmakefile", "c:\n")
    assert names(tmp_path) == {"c"}
    assert names(tmp_path, "Makefile") == {"a"}
    assert names(tmp_path / "missing") == set()


def test_included_makefiles_count(tmp_path: Path) -> None:
    write(tmp_path / "Makefile", "include mk/a.mk\n-include $(wildcard more/*.mk) missing.mk\nT = x\ninclude $(T).mk\n")
    write(tmp_path / "mk/a.mk", "a: ;\ninclude Makefile mk/b.mk\n")
    for name, target in (("mk/b", "b"), ("more/c", "c"), ("x", "x"), ("not-included", "d")):
        write(tmp_path / f"{name}.mk", f"{target}: ;\n")
    assert names(tmp_path) == {"a", "b", "c", "x"}


def test_files_outside_of_the_project_do_not_count(tmp_path: Path) -> None:
    outside = write(tmp_path / "home/my.mk", "private: ;\n")
    project = tmp_path / "project"
    write(project / "Makefile", f"include {outside}\ninclude ../home/my.mk\ninclude link.mk\na: ;\n")
    (project / "link.mk").symlink_to(outside)
    assert names(project) == {"a"}
    assert names(project, str(outside)) == set()
    (project / "Makefile").unlink()
    (project / "Makefile").symlink_to(outside)
    assert names(project) == set()


def test_in_a_repository_only_tracked_files_count(repository: Path) -> None:
    write(repository / "local.mk", "private: ;\n")
    write(repository / "Makefile", "include local.mk shared.mk\na: ;\n")
    write(repository / "shared.mk", "shared: ;\n")
    git(repository, "add", "shared.mk", "Makefile")
    assert names(repository) == {"a", "shared"}
    write(repository / "GNUmakefile", "include Makefile\nprivate: ;\n")
    assert names(repository) == set()
    assert names(repository, "Makefile") == {"a", "shared"}


def test_a_repository_that_tracks_nothing_yet_is_like_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = create_repository(tmp_path / "repository", monkeypatch)
    write(repository / "Makefile", "a: ;\n")
    assert names(repository) == {"a"}


def test_what_a_name_leaves_open_is_looked_for_in_the_repository(repository: Path) -> None:
    write(repository / "build/rules/common.mk", "common: ;\n")
    write(repository / "sub/Makefile", "include $(TOP)/rules/common.mk\n-include $(DEPS)\nb: ;\n")
    git(repository, "add", ".")
    assert names(repository / "sub") == {"b", "common"}


def test_a_repository_above_the_projects_directory_counts(repository: Path) -> None:
    write(repository / "sub/Makefile", "include ../Makefile\nb: ;\n")
    git(repository, "add", ".")
    assert names(repository / "sub") == {"a", "b"}


def test_without_an_answer_of_git_no_name_counts(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert names(repository) == set()

    def late(*_: object) -> None:
        raise subprocess.TimeoutExpired("git", 1)

    monkeypatch.setattr(git_command, "tracked_files", late)
    assert names(repository) == set()


def test_a_makefile_is_read_in_part_only(tmp_path: Path) -> None:
    long = "# comment\n" * 150_000
    write(tmp_path / "Makefile", f"first: ;\n{long}last: ;\n")
    assert names(tmp_path) == {"first"}
    write(tmp_path / "Makefile", "include *.mk\n")
    for number in range(300):
        write(tmp_path / f"{number:03}.mk", f"t{number}: ;\n")
    assert len(names(tmp_path)) < target_names._MOST_FILES


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mk")
    (tmp_path / "folder.mk").mkdir()
    write(tmp_path / "Makefile", "include pipe.mk folder.mk /dev/zero\na: ;\n")
    assert names(tmp_path) == {"a"}
