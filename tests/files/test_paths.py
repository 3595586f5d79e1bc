from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, private_directory
from make_metrics.hot.state_dir import find_state_dir
from tests.support.records import paths_in


def test_make_metrics_home_moves_every_path(tmp_path: Path) -> None:
    paths = paths_in(tmp_path)
    found = [getattr(paths, name) for name in dir(Paths) if isinstance(getattr(Paths, name), property)]
    assert len(found) >= 7
    for path in (*found, paths.data, paths.config, paths.state, paths.record_lock("a.1.2")):
        assert path.is_relative_to(tmp_path)


def test_a_relative_home_is_refused() -> None:
    with pytest.raises(UserError, match="absolute"):
        Paths.from_environment({"MAKE_METRICS_HOME": "here"})


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="XDG directories")
def test_without_that_variable_the_platforms_directories_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "s"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "d"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("HOME", str(tmp_path / "h"))
    paths = Paths.from_environment({})
    assert (paths.data, paths.config) == (tmp_path / "d/make-metrics", tmp_path / "c/make-metrics")
    assert paths.state == tmp_path / "s/make-metrics"
    assert paths.fragment == tmp_path / "h/.local/share/make-metrics/metrics.mk", "the line is the same for everyone"


def test_the_hot_path_finds_the_same_state_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert os.fsencode(paths_in(tmp_path).state) == find_state_dir(b"", {b"MAKE_METRICS_HOME": bytes(tmp_path)})[0]
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert os.fsencode(Paths.from_environment({}).state) == find_state_dir(b"", {b"HOME": os.environb[b"HOME"]})[0]


def test_another_state_directory_can_be_handed_over(tmp_path: Path) -> None:
    paths = Paths.from_state(tmp_path / "elsewhere")
    assert paths.records == tmp_path / "elsewhere" / "records"
    assert paths.data == Paths.from_environment().data


def test_a_private_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    made = private_directory(tmp_path / "a" / "b")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert private_directory(made) == made


def test_a_directory_that_others_can_read_becomes_private(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir(mode=0o755)
    assert stat.S_IMODE(private_directory(tmp_path / "a").stat().st_mode) == 0o700


def test_a_symbolic_link_is_not_taken_for_a_directory(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(UserError, match="symbolic link"):
        private_directory(tmp_path / "link")
    assert stat.S_IMODE((tmp_path / "real").stat().st_mode) == 0o755


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(UserError, match=r"/a is not a directory \(or is a symbolic link\): move it away"):
        private_directory(tmp_path / "a")
    with pytest.raises(UserError, match=r"cannot make the directory .*/a/b: .*/a is not a directory: move it away"):
        private_directory(tmp_path / "a" / "b")
    private_directory(tmp_path / "a", whatever_is_there=True)
    assert (tmp_path / "a").is_dir()
    assert len([*tmp_path.glob("a.aside.*")]) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_another_users_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    os.chown(tmp_path / "a", 65534, 65534)
    with pytest.raises(UserError, match="in a directory of nobody"):
        private_directory(tmp_path / "a")
