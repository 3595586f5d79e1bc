"""The wheels of `ci/wheels`: a wheel that is not for its machine is found; the launcher compiles for each machine."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import pytest

from ci.build_launcher import LAUNCHER, ROOT, TARGETS, NotBuilt, cross_build
from ci.wheels import _MACHINES, Wrong, check_for_macos, check_launchers, wheel_of

SOURCE = "shim/make_metrics/hot/in_c/line.c"


def _program(target: str) -> bytes:
    start, place, machine = _MACHINES[target]
    program = bytearray(start.ljust(64, b"\0"))
    program[place] = machine
    return bytes(program)


def _wheel(dist: Path, tag: str, program: bytes | None, mode: int = 0o755) -> None:
    with zipfile.ZipFile(dist / f"make_metrics-1-py3-none-{tag}.whl", "w") as archive:
        archive.writestr("make_metrics/__init__.py", "")
        if program is not None:
            member = zipfile.ZipInfo("make_metrics/hot/launcher")
            member.external_attr = mode << 16
            archive.writestr(member, program)


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    for target in TARGETS:
        _wheel(tmp_path, TARGETS[target].tags, _program(target))
    _wheel(tmp_path, "any", None)
    return tmp_path


def test_each_wheel_has_the_launcher_of_its_machine(dist: Path) -> None:
    assert len(list(check_launchers(dist))) == len(TARGETS) == len(_MACHINES)


def test_wheels_that_are_wrong_are_found(dist: Path) -> None:
    linux, arm = TARGETS["linux-x86_64"].tags, TARGETS["linux-aarch64"].tags

    def wrong(tag: str, program: bytes | None, mode: int = 0o755) -> str:
        good = (dist / f"make_metrics-1-py3-none-{tag}.whl").read_bytes()
        _wheel(dist, tag, program, mode)
        with pytest.raises(Wrong) as caught:
            list(check_launchers(dist))
        (dist / f"make_metrics-1-py3-none-{tag}.whl").write_bytes(good)
        return str(caught.value)

    assert "is not for linux-aarch64" in wrong(arm, _program("linux-x86_64"))
    assert "is not for linux-x86_64" in wrong(linux, None)
    assert "not static" in wrong(linux, _program("linux-x86_64") + b"/lib64/ld-linux-x86-64.so.2")
    assert "not executable" in wrong(linux, _program("linux-x86_64"), 0o644)
    assert "the pure wheel has a launcher" in wrong("any", _program("linux-x86_64"))
    wheel_of(dist, "macos-arm64").unlink()
    with pytest.raises(Wrong, match="0 wheels for macosx"):
        wheel_of(dist, "macos-arm64")


def test_a_launcher_that_macos_would_not_run_is_found(dist: Path) -> None:
    with pytest.raises(Wrong, match="its launcher would not run: it needs"):
        list(check_for_macos(dist))


@pytest.mark.parametrize("target", TARGETS)
def test_the_launcher_compiles_for_each_machine(tmp_path: Path, target: str) -> None:
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("no ziglang here (pip install ziglang): ci/wheels compiles for other machines")
    cross_build(tmp_path / "launcher", target)
    start, place, machine = _MACHINES[target]
    program = (tmp_path / "launcher").read_bytes()
    assert program.startswith(start)
    assert program[place] == machine
    copy = tmp_path / "source"
    for path in [ROOT / LAUNCHER.replace("launcher", "launcher.c"), *(ROOT / SOURCE).parent.iterdir()]:
        (copy / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
        (copy / path.relative_to(ROOT)).write_bytes(path.read_bytes())
    (copy / SOURCE).write_text((copy / SOURCE).read_text() + "static int unused;\n")
    with pytest.raises(NotBuilt, match="unused"):  # a warning is an error
        cross_build(tmp_path / "launcher", target, copy / "shim/make_metrics/hot/launcher.c")
