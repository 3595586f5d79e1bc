"""`make-metrics uninstall`: what it removes, what it leaves, and that a build goes on as with plain make."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pexpect
import pytest

from make_metrics.setup import bundle, removal
from tests.support.project import ROOT, SOURCE, Project
from tests.support.sharing_project import Sharing


@pytest.fixture
def bundles_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bundles of this checkout are every test's."""
    monkeypatch.setattr(bundle, "PARTS", {})


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def uninstall(project: Project, *words: str) -> subprocess.CompletedProcess[str]:
    """Uninstall, with the bundles of this checkout left alone."""
    code = "from make_metrics.setup import bundle; bundle.PARTS = {}; from make_metrics import cli; exit(cli.main())"
    env = {**project.environment(), "PYTHONPATH": str(SOURCE)}
    return project.run([sys.executable, "-c", code, "uninstall", *words], env=env)


def test_without_words_what_was_recorded_and_decided_stays(sharing: Sharing) -> None:
    project = sharing.project
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    project.events()
    before = files(project.home)
    done = uninstall(project)
    assert (done.returncode, done.stderr) == (0, "")
    left = files(project.home)
    assert left < before
    assert not project.paths.fragment.exists()
    assert {"state/store.sqlite3"} <= left
    assert any(path.startswith("config/consent/") for path in left)
    assert not any(path.startswith("state/makes/") or path.endswith(".lock") for path in left)
    assert str(project.paths.fragment.parent) in done.stdout
    assert "--data" in done.stdout
    assert sharing.project.make("a").returncode == 0  # the include line stays, and does nothing
    assert files(project.home) == left


def test_all_of_it_leaves_nothing(sharing: Sharing) -> None:
    project = sharing.project
    sharing.cli("opt-in", "--yes")
    sharing.make("a")
    done = uninstall(project, "--data", "--decisions", "--yes")
    assert (done.returncode, done.stderr) == (0, "")
    assert files(project.home) == set()
    assert not project.paths.state.exists()
    assert not project.paths.config.exists()


@pytest.mark.parametrize("command", [("uninstall", "--data"), ("uninstall", "--decisions"), ("forget",)])
def test_it_asks_or_wants_yes(project: Project, command: tuple[str, ...]) -> None:
    project.write("all:\n\t@:\n")
    project.make()
    project.events()
    done = project.cli(*command)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "--yes" in done.stderr
    env = {**project.environment(), "PYTHONPATH": str(SOURCE)}
    child = pexpect.spawn(sys.executable, ["-m", "make_metrics", *command], env=env, cwd=project.folder, timeout=60)
    child.expect(r"\[y/N\]")
    child.sendline("n")
    child.expect("Nothing is removed")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 1
    assert list(project.events()) == ["all"]
    assert project.paths.fragment.exists()


def test_another_installations_fragment_stays(project: Project, tmp_path: Path) -> None:
    other = tmp_path / "entry.py"
    other.touch()
    project.edit_fragment(str(SOURCE / "make_metrics/entry.py"), str(other))
    done = uninstall(project)
    assert done.returncode == 0
    assert str(other) in done.stdout
    assert project.paths.fragment.exists()


def test_a_lock_that_is_held_stays(project: Project, bundles_stay: None) -> None:
    from filelock import FileLock

    project.paths.state.mkdir()
    with FileLock(project.paths.sender_lock):
        removal.remove_markers(project.paths)
        assert project.paths.sender_lock.exists()
    removal.remove_markers(project.paths)
    assert not project.paths.sender_lock.exists()


def test_the_package_leaves_nothing_in_site_packages(tmp_path: Path) -> None:
    """The built wheel in an environment of its own: set-up, make, report, uninstall, pip uninstall."""
    pytest.importorskip("hatchling")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("shim", "make_include", "ci"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "launcher"))
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy2(ROOT / name, source / name)
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, tmp_path / "out"], cwd=source, check=True, capture_output=True)
    (wheel,) = (tmp_path / "out").iterdir()
    environment, home, project = tmp_path / "environment", tmp_path / "user", tmp_path / "work"
    venv.create(environment, with_pip=True)
    (site_packages,) = environment.glob("lib/python3*/site-packages")
    (site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    home.mkdir()
    project.mkdir()
    (project / "Makefile").write_text("all:\n\t@echo all\n")
    env = {"PATH": f"{environment}/bin:{os.environ['PATH']}", "HOME": str(home), "LANG": "C.UTF-8"}

    def run(*words: str) -> str:
        done = subprocess.run(words, cwd=project, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    before = files(site_packages)
    run("pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    run("make-metrics", "setup", "--add")
    assert run("make") == "all\n"
    assert "all" in run("make-metrics", "report")
    run("make-metrics", "uninstall", "--data", "--decisions", "--yes")
    assert not any("make-metrics" in name for name in files(home))
    run("pip", "uninstall", "--yes", "--quiet", "make-metrics")
    assert {name for name in files(site_packages) - before if "make_metrics" in name} == set()
    assert not (site_packages / "make_metrics").exists()
    assert run("make") == "all\n"
    # Without `make-metrics uninstall` too: the bundles that set-up writes are among the files that pip removes.
    run("pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    run("make-metrics", "setup")
    (record,) = site_packages.glob("make_metrics-*/RECORD")
    noted = record.read_bytes()
    run("make-metrics", "setup")
    assert record.read_bytes() == noted
    run("pip", "uninstall", "--yes", "--quiet", "make-metrics")
    assert {name for name in files(site_packages) - before if "make_metrics" in name} == set()
    assert run("make") == "all\n"
