"""The bundles of compiled modules that set-up writes: used where they fit, and never needed."""

from __future__ import annotations

import _imp
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from make_metrics.setup import bundle
from tests.support.shim_calls import Make, as_make, copied, shim_words

WRITE = "import sys; sys.path.insert(0, sys.argv[1]); from make_metrics.setup import bundle; print(bundle.write())"


class Package:
    """A copy of the package, as somebody might have installed it."""

    def __init__(self, folder: Path) -> None:
        *self.start, entry = copied(folder / "package")
        self.entry = Path(entry)
        self.hot = self.entry.parent / "hot"
        self.root = self.entry.parents[1]

    def write(self) -> bool:
        """Write the bundles, as set-up does; gives whether they were written."""
        words = [sys.executable, "-c", WRITE, str(self.root)]
        return {"True": True, "False": False}[subprocess.check_output(words, text=True, cwd=self.root).strip()]

    def file(self, part: str) -> Path:
        return self.hot / "__pycache__" / bundle.path(part).name

    def shim(self, *options: str) -> list[str]:
        return [*self.start, *options, str(self.entry)]

    def imported(self, make: Make, tmp_path: Path) -> set[str]:
        """Our modules that a line imports one by one; fails if it does not run, or is not recorded."""
        with (tmp_path / "log").open("w+") as log:
            words = shim_words("echo out; exit 3", make.state)
            process = make.start(self.shim("-v"), words, stdout=subprocess.PIPE, stderr=log)
            assert (process.communicate(timeout=60)[0], process.returncode) == (b"out\n", 3)
            log.seek(0)
            names = re.findall(r"^import '(make_metrics[\w.]*)' #", log.read(), flags=re.MULTILINE)
        assert [entry[4] for entry in make.take_entries()] == [3]
        return set(names)


@pytest.fixture
def package(tmp_path: Path) -> Package:
    return Package(tmp_path)


@pytest.fixture
def written(package: Package) -> Package:
    assert package.write()
    return package


def test_a_line_loads_all_its_modules_from_the_bundle(written: Package, tmp_path: Path) -> None:
    with as_make(tmp_path) as make:
        assert written.imported(make, tmp_path) == set()


def test_without_the_bundle_each_module_is_imported(package: Package, tmp_path: Path) -> None:
    with as_make(tmp_path) as make:
        assert package.imported(make, tmp_path) >= {
            "make_metrics.hot.line",
            "make_metrics.hot.recorder",
            "make_metrics.hot.record_format",
        }


@pytest.mark.parametrize("part", ["mm1", "walk"])
def test_whoever_can_read_the_sources_can_read_the_bundle(written: Package, part: str) -> None:
    mode = written.file(part).stat().st_mode & 0o777
    assert 0o600 & ~mode == 0
    assert mode & ~(0o644 & (written.hot / "bundle_loader.py").stat().st_mode) == 0
    assert written.file(part).stat().st_size < bundle.LIMIT_BYTES


def test_the_walk_loads_its_modules_from_the_bundle(written: Package, tmp_path: Path) -> None:
    """This process is no make: the walk says so."""
    with as_make(tmp_path) as make:
        with (tmp_path / "log").open("w+") as log, make.marker.open("wb") as marker:
            words = ["walk", str(os.getpid()), make.key.decode(), str(make.state), "make", "4.3", "", "-"]
            subprocess.run([*written.shim("-v"), *words], stdout=marker, stderr=log, env=make.environment(), timeout=60)
            log.seek(0)
            lines = log.read().splitlines()
        assert make.marker.read_bytes() in (b"!", b"-")
    imported = [line for line in lines if re.match(r"import 'make_metrics[\w.]*' #", line)]
    assert [
        line
        for line in imported
        if "make_metrics.hot.bundle_loader.BundleLoader" not in line and "__main__.BundleLoader" not in line
    ] == []
    assert any("'make_metrics.walk.walk'" in line for line in imported)


def _truncated(length: int) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(path.read_bytes()[:length])


def _changed(at: int) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        text = bytearray(path.read_bytes())
        text[at] ^= 0x55
        path.write_bytes(text)

    return change


def _of_another_interpreter(path: Path) -> None:
    packed = path.read_bytes()[8:]
    magic = int.from_bytes(importlib.util.MAGIC_NUMBER, "little")
    path.write_bytes(_imp.source_hash(magic + 1, packed) + packed)


def _instead(put: Callable[[Path], object]) -> Callable[[Path], object]:
    def change(path: Path) -> None:
        path.unlink()
        put(path)

    return change


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": _truncated(0),
    "half a hash": _truncated(5),
    "no more than a hash": _truncated(8),
    "cut short": _truncated(20_000),
    "cut at the end": _truncated(-1),
    "another hash": _changed(3),
    "another beginning": _changed(8),
    "another middle": _changed(20_000),
    "another end": _changed(-1),
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "another interpreter's": _of_another_interpreter,
    "a directory": _instead(Path.mkdir),
    "a link to nowhere": _instead(lambda path: path.symlink_to("/nowhere")),
    "a pipe that nobody writes to": _instead(os.mkfifo),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_bundle_is_not_used(written: Package, tmp_path: Path, damage: str) -> None:
    DAMAGES[damage](written.file("mm1"))
    with as_make(tmp_path) as make:
        assert "make_metrics.hot.line" in written.imported(make, tmp_path)


@pytest.mark.parametrize("module", ["line", "recorder", "record_format", "bundle_loader", "__init__"])
def test_a_changed_source_is_used_in_place_of_the_bundle(written: Package, tmp_path: Path, module: str) -> None:
    source = written.hot / f"{module}.py"
    source.write_text(source.read_text() + "\n# newer\n")
    with as_make(tmp_path) as make:
        assert "make_metrics.hot.line" in written.imported(make, tmp_path)
        assert written.write()
        assert written.imported(make, tmp_path) == set()


def test_a_source_of_the_same_length_but_another_time_is_used(written: Package, tmp_path: Path) -> None:
    source = written.hot / "record_format.py"
    status = source.stat()
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000))
    with as_make(tmp_path) as make:
        assert "make_metrics.hot.record_format" in written.imported(make, tmp_path)


@pytest.mark.parametrize("gone", ["line", "recorder", "record_format", "bundle_loader"])
def test_a_line_runs_although_half_of_the_package_is_gone(written: Package, tmp_path: Path, gone: str) -> None:
    (written.hot / f"{gone}.py").unlink()
    shutil.rmtree(written.hot / "__pycache__", ignore_errors=gone == "line")
    with as_make(tmp_path) as make:
        done = make.run(written.shim(), shim_words("echo out; exit 3", make.state))
        assert (done.status, done.out, done.err) == (3, b"out\n", b"")


def test_the_bundles_that_set_up_writes_are_current(monkeypatch: pytest.MonkeyPatch, written: Package) -> None:
    monkeypatch.setattr(bundle, "ROOT", written.root)
    assert bundle.fits()
    (written.root / "make_metrics/environment.py").touch()
    assert not bundle.fits()
    assert bundle.write()
    assert bundle.fits()
    written.file("walk").write_bytes(b"x")
    assert not bundle.fits()
    written.file("walk").unlink()
    assert not bundle.fits()


def test_no_bundle_is_written_where_others_can_write(package: Package) -> None:
    (package.hot / "__pycache__").mkdir(mode=0o777)
    (package.hot / "__pycache__").chmod(0o777)
    assert not package.write()
    assert list((package.hot / "__pycache__").glob("mm1*")) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write anywhere")
def test_no_bundle_is_written_where_we_cannot_write(package: Package) -> None:
    package.hot.chmod(0o555)
    assert not package.write()
    package.hot.chmod(0o755)


def test_each_module_comes_after_its_imports() -> None:
    names = bundle.modules(bundle.PARTS["mm1"][0])
    assert names.index("make_metrics") < names.index("make_metrics.hot") < names.index("make_metrics.hot.record_format")
    assert (
        names.index("make_metrics.hot.record_format")
        < names.index("make_metrics.hot.arguments")
        < names.index("make_metrics.hot.line")
    )
    assert names.index("make_metrics.hot.append") < names.index("make_metrics.hot.recorder")
