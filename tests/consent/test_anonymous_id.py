"""The pseudonymous id: random, one for each project and user."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest

from make_metrics.consent import consent
from make_metrics.consent.anonymous_id import ensure_id, erase_id, id_file, read_id
from make_metrics.files.paths import Paths, private_directory
from make_metrics.project.project import Project, project_of
from make_metrics.project.root import project_key
from tests.support.opt_in import opt_in
from tests.support.records import paths_in
from tests.support.settings_files import write_settings


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_in(tmp_path / "mm")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write_settings(tmp_path / "project")
    return project_of(tmp_path / "project")


def test_thirty_processes_at_once_make_one_id(paths: Paths, project: Project) -> None:
    with multiprocessing.get_context("fork").Pool(30) as pool:
        ids = pool.map(opt_in, [(paths, project.directory)] * 30, chunksize=1)
    assert len(set(ids)) == 1
    assert read_id(paths, project) == ids[0]
    assert ids[0][14] == "4"
    assert sorted(path.name for path in paths.identities.iterdir()) == [project_key(project.directory)]


def test_an_id_is_random_and_of_one_project(paths: Paths, project: Project, tmp_path: Path) -> None:
    with consent.lock(paths):
        first = ensure_id(paths, project)
        other = ensure_id(paths, Project(tmp_path))
        erase_id(paths, project)
        assert read_id(paths, project) is None
        again = ensure_id(paths, project)
    assert len({first, other, again}) == 3


@pytest.mark.parametrize("content", [b"", b"x", b"\xff", b"2f4a3a0e-6b0c-1d34-9c3a-0f2a51b9d7e1\n"])
def test_a_damaged_id_is_made_anew(paths: Paths, project: Project, content: bytes) -> None:
    private_directory(paths.config)
    private_directory(paths.identities)
    id_file(paths, project).write_bytes(content)
    with consent.lock(paths):
        anonymous_id = ensure_id(paths, project)
    assert read_id(paths, project) == anonymous_id
