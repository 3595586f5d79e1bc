"""The installed package: importable from wheel, sdist and checkout, and nothing called `shim` beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.project import ROOT

pytest.importorskip("hatchling")
FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", ".gitignore")
FOLDERS = ("shim", "make_include", "ci")
ALONE = (
    "import importlib.util, make_metrics, make_metrics.metrics, make_metrics.sinks;"
    "assert importlib.util.find_spec('shim') is None, importlib.util.find_spec('shim');"
    "print(make_metrics.__file__)"
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the build reads."""
    copy = tmp_path_factory.mktemp("source")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "launcher"))
    for name in FILES:
        shutil.copy2(ROOT / name, copy / name)
    return copy


def built(source: Path, kind: str, out: Path) -> Path:
    """What the build backend makes: a `wheel`, an `sdist`, or the wheel of an `editable` install."""
    code = f"import sys; from hatchling.build import build_{kind}; build_{kind}(sys.argv[1])"
    env = {**os.environ, "CC": "false"}
    subprocess.run([sys.executable, "-c", code, out], cwd=source, env=env, check=True, capture_output=True)
    (path,) = out.iterdir()
    return path


class Environment:
    """A virtual environment without anything in it."""

    def __init__(self, folder: Path) -> None:
        self.python = folder / "bin/python"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        self.site_packages = Path(self.run("-c", "import sysconfig; print(sysconfig.get_path('purelib'))"))
        self.empty = folder / "empty"
        self.empty.mkdir()

    def run(self, *words: str, cwd: Path | None = None) -> str:
        env = {"PATH": os.environ["PATH"], "MAKE_METRICS_HOME": os.environ["MAKE_METRICS_HOME"]}
        done = subprocess.run([self.python, *words], cwd=cwd, env=env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def install(self, wheel: Path, *options: str) -> None:
        pip = [sys.executable, "-m", "pip", "--python", str(self.python), "--disable-pip-version-check", "install"]
        subprocess.run([*pip, "--no-deps", "--no-index", *options, wheel], check=True, capture_output=True)

    def imported(self, option: str) -> Path:
        """The package's path, as an interpreter with an option finds it; fails if there is a package `shim`."""
        return Path(self.run(option, "-c", ALONE, cwd=self.empty))


@pytest.mark.parametrize("kind", ["wheel", "sdist", "editable"])
def test_the_package_is_importable_and_nothing_is_called_shim(source: Path, tmp_path: Path, kind: str) -> None:
    path = built(source, kind, tmp_path / "built")
    if kind == "sdist":
        (tmp_path / "unpacked").mkdir()  # tar: extractall() has no filter before Python 3.11.4, and warns later without
        subprocess.run(["tar", "-xf", path, "-C", tmp_path / "unpacked"], check=True)
        (unpacked,) = (tmp_path / "unpacked").iterdir()
        path = built(unpacked, "wheel", tmp_path / "rebuilt")
    environment = Environment(tmp_path / "environment")
    environment.install(path)
    folder = source / "shim" if kind == "editable" else environment.site_packages
    for option in ("-I", "-P"):
        assert environment.imported(option) == folder / "make_metrics/__init__.py"
    assert environment.run("-I", "-m", "make_metrics", "--version").startswith("make-metrics ")


def old_wheel(folder: Path) -> Path:
    """A wheel of an older version, whose package is called `shim`."""
    info = "make_metrics-0.0.1.dist-info"
    files = {
        "shim/__init__.py": "",
        "shim/hot/__init__.py": "",
        "shim/hot/entry.py": "import sys\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: make-metrics\nVersion: 0.0.1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in (*files, f"{info}/RECORD"))
    path = folder / "make_metrics-0.0.1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_an_upgrade_and_a_command_leave_nothing_of_the_package_before(source: Path, tmp_path: Path) -> None:
    environment = Environment(tmp_path / "environment")
    environment.install(old_wheel(tmp_path))
    old = environment.site_packages / "shim"
    environment.run("-c", "import shim.hot", cwd=environment.empty)
    for part in ("mm1", "walk"):  # that version's set-up wrote these
        (old / "hot/__pycache__" / f"{part}.{sys.implementation.cache_tag}").write_bytes(b"modules")
    environment.install(built(source, "wheel", tmp_path / "built"), "--upgrade")
    assert {path.stem for path in old.rglob("*") if path.is_file()} <= {"mm1", "walk"}
    environment.run("-I", "-m", "make_metrics", "setup", cwd=environment.empty)
    assert not old.exists()
    assert environment.imported("-I") == environment.site_packages / "make_metrics/__init__.py"
    assert [path.name for path in environment.site_packages.glob("*.dist-info")] != ["make_metrics-0.0.1.dist-info"]
