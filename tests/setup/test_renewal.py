"""After an upgrade the next command writes the fragment again, and removes what is left of the package `shim`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from make_metrics.setup import bundle, fragment, renewal
from tests.support.project import SOURCE, Project

OLD_ENTRY = "/nowhere/lib/python3.11/site-packages/shim/hot/entry.py"


@pytest.fixture
def written(project: Project) -> str:
    """What set-up writes."""
    project.cli("setup")
    return project.paths.fragment.read_text()


def change(project: Project, old: str, new: str) -> str:
    """Write a fragment in which a text is another; the fragment."""
    text = project.paths.fragment.read_text()
    assert old in text
    project.paths.fragment.write_text(text.replace(old, new))
    return project.paths.fragment.read_text()


def test_any_command_renews_a_fragment_whose_package_is_gone(project: Project, written: str) -> None:
    change(project, str(fragment.entry()), OLD_ENTRY)
    project.write("all:\n\t@echo all\n")
    assert project.make().stdout == "all\n"
    assert project.records() == []
    done = project.cli("runs")
    assert (done.returncode, done.stderr) == (0, "")
    assert project.paths.fragment.read_text() == written
    assert project.paths.fragment.stat().st_mode & 0o777 == 0o644
    assert project.make().stdout == "all\n"
    assert list(project.events()) == ["all"]


def test_a_command_renews_what_an_older_version_of_this_installation_wrote(project: Project, written: str) -> None:
    change(project, "# GNU make 3.81", "# An older text. GNU make 3.81")
    project.cli("runs")
    assert project.paths.fragment.read_text() == written


def test_the_bundles_are_renewed_too(project: Project, written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(bundle, "write", lambda: calls.append("bundle"))
    change(project, str(fragment.entry()), OLD_ENTRY)
    renewal.renew()
    assert calls == ["bundle"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (str(fragment.entry()), os.path.abspath(__file__)),  # noqa: PTH100 - another installation, which is there
        ("/home/state\n", "/home/elsewhere\n"),  # set up with other directories than this environment names
        (f".metrics.baked.entry := {fragment.entry()}\n", ".metrics.baked.entry :=\n"),  # a copy of the source
    ],
    ids=["intact", "directories", "copied"],
)
def test_another_installations_fragment_stays(project: Project, written: str, old: str, new: str) -> None:
    text = change(project, old, new)
    assert project.cli("runs").returncode == 0
    assert project.paths.fragment.read_text() == text


def test_nothing_is_set_up_where_nothing_was(project: Project) -> None:
    project.paths.fragment.unlink()
    assert project.cli("runs").returncode == 0
    assert not project.paths.fragment.exists()


def test_root_through_sudo_renews_nothing(project: Project, written: str) -> None:
    text = change(project, str(fragment.entry()), OLD_ENTRY)
    env = {**project.environment(), "PYTHONPATH": str(SOURCE), "SUDO_UID": "1000"}
    code = "import os; os.geteuid = lambda: 0; from make_metrics.setup.renewal import renew; renew()"
    assert project.run([sys.executable, "-c", code], env=env).returncode == 0
    assert project.paths.fragment.read_text() == text


@pytest.mark.parametrize("kind", ["link", "folder", "binary"])
def test_a_strange_fragment_stays_and_no_command_fails(project: Project, written: str, kind: str) -> None:
    path = project.paths.fragment
    other = path.with_name("other")
    path.rename(other)
    other.write_text(other.read_text().replace(str(fragment.entry()), OLD_ENTRY))
    if kind == "link":
        path.symlink_to(other)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"\xff\xfe" + other.read_bytes())
    text = other.read_text()
    done = project.cli("runs")
    assert (done.returncode, done.stderr) == (0, "")
    assert other.read_text() == text
    assert path.is_symlink() == (kind == "link")


def test_a_bad_home_is_the_commands_error(project: Project) -> None:
    env = {**project.environment(), "PYTHONPATH": str(SOURCE), "MAKE_METRICS_HOME": "relative"}
    done = project.run([sys.executable, "-m", "make_metrics", "runs"], env=env)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)


def test_what_needs_no_renewal_loads_little(project: Project, written: str) -> None:
    code = "import sys; from make_metrics.setup.renewal import renew; renew(); print(*sys.modules)"
    env = {**project.environment(), "PYTHONPATH": str(SOURCE)}
    modules = subprocess.check_output([sys.executable, "-c", code], env=env, text=True).split()
    ours = {name for name in modules if name.startswith("make_metrics.")}
    assert ours >= {"make_metrics.setup.renewal", "make_metrics.files.read"}
    assert not {"make_metrics.setup.bundle", "subprocess"} & set(modules)


BUNDLES = ("hot/__pycache__/mm1.cpython-311", "hot/__pycache__/walk.cpython-311")


def left(site_packages: Path, *names: str) -> Path:
    folder = site_packages / "shim"
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"compiled")
    return folder


def test_the_bundles_of_the_old_package_go(tmp_path: Path) -> None:
    folder = left(tmp_path, *BUNDLES, "__pycache__/cli.cpython-312.pyc", "metrics/__pycache__/child.cpython-312.pyc")
    renewal.remove_old_package(tmp_path)
    assert not folder.exists()
    assert tmp_path.is_dir()


@pytest.mark.parametrize("name", ["__init__.py", "hot/launcher", "py.typed", "hot/__pycache__/mm1"])
def test_a_folder_shim_with_anything_else_stays(tmp_path: Path, name: str) -> None:
    folder = left(tmp_path, *BUNDLES, name)
    renewal.remove_old_package(tmp_path)
    assert all((folder / file).is_file() for file in (*BUNDLES, name))


def test_a_folder_shim_without_our_bundles_stays(tmp_path: Path) -> None:
    folder = left(tmp_path, "__pycache__/other.cpython-311.pyc")
    renewal.remove_old_package(tmp_path)
    assert (folder / "__pycache__/other.cpython-311.pyc").is_file()


def test_a_link_called_shim_stays(tmp_path: Path) -> None:
    folder = left(tmp_path / "elsewhere", *BUNDLES)
    (tmp_path / "shim").symlink_to(folder)
    renewal.remove_old_package(tmp_path)
    assert all((folder / file).is_file() for file in BUNDLES)


def test_another_kind_of_machine_keeps_its_values(
    project: Project, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set-up and renewal on a second machine that shares the home, then on the first one again."""
    ours, kind = fragment.read_values(written), fragment.kind_of_machine()
    with monkeypatch.context() as other:
        other.setattr(fragment, "kind_of_machine", lambda: "riscv64")
        renewal.set_up(project.paths)
        both = fragment.read_values(project.paths.fragment.read_text())
        assert both.keys() == {kind, "riscv64"}
        assert both[kind]["entry"] == ours[kind]["entry"]
        renewal.renew()
        assert fragment.read_values(project.paths.fragment.read_text()) == both
    assert (project.cli("doctor").stdout.splitlines()[0][:14]) == "ok    fragment"
    change(project, "# GNU make 3.81", "# An older text. GNU make 3.81")
    project.cli("runs")
    text = project.paths.fragment.read_text()
    assert text.startswith(written.partition(".metrics.baked")[0])
    assert fragment.read_values(text).keys() == {kind, "riscv64"}
    project.write("all:\n\t@echo all\n")
    assert project.make().stdout == "all\n"
    assert list(project.events()) == ["all"]


def test_a_clock_that_is_behind_makes_make_say_nothing(each: Project, written: str) -> None:
    """Make up to 4.3 warns of makefiles that are dated in the future; a clock without a battery begins with 2000."""
    year_2000 = 946_684_800
    assert each.paths.fragment.stat().st_mtime < year_2000
    change(each, "# GNU make 3.81", "# An older text. GNU make 3.81")
    each.cli("runs")
    assert each.paths.fragment.stat().st_mtime < year_2000
