"""What a line of a make has found out is left for the lines that follow, and is used only by those."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from make_metrics.hot import procfs
from tests.support.shim_calls import PYTHON_SHIM, RUN, Make, compiled, shim_words

pytestmark = [
    pytest.mark.asks_system,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere make cannot put the file's name together"),
]
OTHER = "0123abcd.78.4243"  # another run than the marker's: where an entry is shows which of both a line has used
NAMESPACE = Path("/proc/self/ns/pid").stat().st_ino if sys.platform == "linux" else 0


def _known(make: Make, run: str = OTHER, key: str = "", namespace: int = NAMESPACE) -> str:
    return f"{run}:{key or make.key.decode()}:{namespace}:0"


def _runs(make: Make) -> set[str]:
    """The runs that have a record."""
    return {path.stem for path in make.records.glob("*.rec")}


def _run(make: Make, shim: Sequence[str], known: str, **environ: str) -> None:
    """Run a line that is handed what another one has found out."""
    words = shim_words("exit 3", f"{make.state}:{known}")
    assert make.start(shim, words, env=make.environment(**environ)).wait(60) == 3


def test_a_line_of_a_make_whose_walk_has_ended_leaves_what_it_knows(make: Make, launcher: Path) -> None:
    for _ in range(2):
        make.run(compiled(launcher), shim_words("true", make.state))
    (left,) = make.makes.glob("known.*")
    pid, start = make.key.decode().split(".")[1:]
    assert left.name == f"known.{procfs.boot_id().decode()}.{pid}.{start}"
    assert left.read_text() == f"{_known(make, RUN.decode())} ;\n"
    assert left.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("version", "marker"), [("4.1", None), ("3.81", None), ("4.3", b"!"), ("4.3", b"-")])
def test_a_line_that_knows_too_little_or_whose_make_reads_no_file_leaves_nothing(
    make: Make, launcher: Path, version: str, marker: bytes | None
) -> None:
    if marker is not None:
        make.marker.write_bytes(marker)
    assert make.start(compiled(launcher), shim_words("exit 3", make.state, make=f"0:{version}:make:f")).wait(60) == 3
    assert not list(make.makes.glob("known.*"))


def test_the_lines_that_follow_use_it(make: Make, launcher: Path) -> None:
    _run(make, compiled(launcher), _known(make))
    assert _runs(make) == {OTHER}
    assert f"L {make.key.decode()} target" in (make.records / f"{OTHER}.rec").read_text()
    assert not list(make.makes.glob("known.*"))


def test_the_python_shim_looks_itself(make: Make) -> None:
    _run(make, PYTHON_SHIM, _known(make))
    assert _runs(make) == {RUN.decode()}


WRONG: dict[str, Callable[[Make], str]] = {
    "another make": lambda make: _known(make, key=f"0123abcd.{os.getpid() + 1}.7"),
    "another pid namespace": lambda make: _known(make, namespace=NAMESPACE + 1),
    "no key": lambda make: _known(make, run="../records/0123abcd.78.4243"),
    "too little": lambda make: _known(make).rpartition(":")[0],
    "nothing": lambda _: "",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_not_about_this_make_is_not_used(make: Make, launcher: Path, wrong: str) -> None:
    _run(make, compiled(launcher), WRONG[wrong](make))
    assert _runs(make) == {RUN.decode()}


def test_a_line_that_gets_its_traceparent_looks_itself(make: Make, launcher: Path) -> None:
    words = shim_words("exit 3", f"{make.state}:{_known(make)}")
    assert words[6] == "1"
    words[6] = "+1"
    assert make.start(compiled(launcher), words).wait(60) == 3
    assert _runs(make) == {RUN.decode()}


def test_where_the_marker_is_gone_the_line_starts_a_walk(make: Make, launcher: Path) -> None:
    """Somebody has removed all data while the make goes on: its next line writes a header again."""
    make.marker.unlink()
    _run(make, compiled(launcher), _known(make))
    assert make.marker.exists()
    assert OTHER not in _runs(make)


def test_a_marker_of_another_kind_is_not_trusted(make: Make, launcher: Path, tmp_path: Path) -> None:
    make.marker.rename(tmp_path / "marker")
    make.marker.symlink_to(tmp_path / "marker")
    _run(make, compiled(launcher), _known(make))
    assert _runs(make) == {RUN.decode()}


@pytest.mark.skipif(os.geteuid() != 0, reason="not root")
def test_root_in_somebody_elses_home_looks_itself(make: Make, launcher: Path) -> None:
    os.chown(make.marker, 1234, 1235)
    _run(make, compiled(launcher), _known(make))
    assert _runs(make) == {RUN.decode()}


def test_another_state_directory_is_not_that_of_the_make(make: Make, launcher: Path, tmp_path: Path) -> None:
    """A target may export a MAKE_METRICS_HOME of its own."""
    (tmp_path / "other").mkdir()
    _run(make, compiled(launcher), _known(make), MAKE_METRICS_HOME=str(tmp_path / "other"))
    assert _runs(make) == set()
    assert not (tmp_path / f"other/state/records/{OTHER}.rec").exists()


def test_a_missing_directory_is_made_again(make: Make, launcher: Path) -> None:
    make.records.rmdir()
    _run(make, compiled(launcher), _known(make))
    assert _runs(make) == {RUN.decode()}
