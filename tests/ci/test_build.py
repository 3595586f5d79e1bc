"""The package's build: with a compiler the wheel has the fast path and a platform, without one it is pure Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ci import build_launcher
from tests.support.project import ROOT

pytest.importorskip("hatchling")
needs_compiler = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("cc"), reason="the fast path is for Linux, and built with a compiler"
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A copy of what the build reads; the ignored launcher in it is one that an older source was compiled to."""
    copy = tmp_path / "source"
    copy.mkdir()
    ignored = shutil.ignore_patterns("__pycache__", "launcher")
    for name in ("shim", "make_include", "ci"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", ".gitignore"):
        shutil.copy2(ROOT / name, copy / name)
    (copy / "shim/make_metrics/hot/launcher").write_text("old")
    return copy


def wheel(source: Path, compiler: str) -> zipfile.ZipFile:
    out = source.parent / "out"
    script = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    env = {**os.environ, "CC": compiler}
    subprocess.run([sys.executable, "-c", script, out], cwd=source, env=env, check=True, capture_output=True)
    (path,) = out.iterdir()
    return zipfile.ZipFile(path)


@needs_compiler
def test_with_a_compiler(source: Path) -> None:
    made = wheel(source, "cc")
    assert made.filename is not None
    assert "-py3-none-linux_" in made.filename
    assert made.getinfo("make_metrics/hot/launcher").external_attr >> 16 & 0o111 == 0o111
    assert not [name for name in made.namelist() if name.endswith((".c", ".h"))]
    assert {"make_metrics/metrics.mk", "make_metrics/hot/trampoline.sh"} <= set(made.namelist())
    launcher = source / "shim/make_metrics/hot/launcher"
    assert made.read("make_metrics/hot/launcher") == launcher.read_bytes()
    assert subprocess.run([launcher, "mm1"], check=False).returncode == 0


@pytest.mark.parametrize("compiler", ["false", "/nowhere/cc", "cc -include /nowhere.h"])
def test_without_a_compiler(source: Path, compiler: str) -> None:
    made = wheel(source, compiler)
    assert made.filename is not None
    assert made.filename.endswith("-py3-none-any.whl")
    assert "make_metrics/hot/launcher" not in made.namelist()
    assert not (source / "shim/make_metrics/hot/launcher").exists()


@needs_compiler
def test_a_launcher_is_there_until_another_replaces_it(source: Path, tmp_path: Path) -> None:
    """An editable installation is built where makes and tests run."""
    launcher = source / "shim/make_metrics/hot/launcher"
    compiler = tmp_path / "compiler"
    compiler.write_text(f'#!/bin/sh\ncp "{launcher}" {tmp_path}/before && exec cc "$@"\n')
    compiler.chmod(0o755)
    wheel(source, str(compiler))
    assert (tmp_path / "before").read_text() == "old"
    assert launcher.read_bytes()[:4] == b"\x7fELF"


@needs_compiler
def test_a_variable_chooses_the_launcher_that_asks_the_system_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks_nothing = build_launcher.posix(tmp_path).read_bytes()
    for name in ("", "posix"):
        monkeypatch.setenv(build_launcher.VARIANT_VARIABLE, name)
        build_launcher.build(tmp_path / "launcher")
        assert ((tmp_path / "launcher").read_bytes() == asks_nothing) == (name == "posix")
    monkeypatch.setenv(build_launcher.VARIANT_VARIABLE, "Posix")
    with pytest.raises(build_launcher.NotBuilt, match="MAKE_METRICS_LAUNCHER=Posix: there is posix"):
        build_launcher.build(tmp_path / "launcher")
