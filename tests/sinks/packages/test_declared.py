"""What a kind of another package declares: asked in a process of its own, whatever its package does."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from make_metrics.files.paths import Paths
from make_metrics.sinks import kinds
from make_metrics.sinks.packages import declared
from make_metrics.sinks.sink import UnavailableError
from tests.support import odd_sinks
from tests.support.project import SOURCE, Project
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import TEXT, Sharing

KIND = "\nfrom make_metrics.sinks import Key, Kind\n"
COUNTS = "open({0!r}, 'a').write('x')\n"


@pytest.fixture
def sharing(tmp_path: Path, home: Path, receiver: Receiver) -> Sharing:
    return Sharing(Project(tmp_path / "project", home), receiver)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A package with a good kind, `odd-good`."""
    return odd_sinks.install(tmp_path / "other")


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The same, visible in this process."""
    monkeypatch.syspath_prepend(str(folder))
    kinds.forget()
    yield folder
    kinds.forget()


def change(folder: Path, text: str) -> None:
    """Another content of the package's module."""
    path = folder / "odd_sinks.py"
    before = path.stat().st_mtime_ns
    path.write_text(text)
    os.utime(path, ns=(before + 10**9, before + 10**9))  # a file system's clock may be coarse


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import sys\nsys.exit('no')\n", "is broken: SystemExit: no"),
        ("import os\nos._exit(0)\n", "is broken as it is loaded: its process has ended"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n", "loaded: its process has ended"),
        ("import time\ntime.sleep(3600)\n", "is broken as it is loaded: its process does not answer"),
        ("import re\nre.match(r'(a+)+b', 'a' * 64)\n", "is broken as it is loaded: its process does not answer"),
        ("raise type('Odd', (BaseException,), {})('no')\n", "is broken: Odd: no"),
        (KIND + "GOOD = Kind(make=id, keys=(Key('a', 'b', '('),))\n", "loaded: error: missing )"),
        (KIND + "GOOD = Kind(make=id, keys=('a',))\n", "a key of its table is none"),
        (KIND + "GOOD = Kind(make=id, keys=(Key('a', 'b', kind=list),))\n", "a key of its table is none"),
        (KIND + "GOOD = Kind(make=id, keys=(Key('a', 3),))\n", "a key of its table is none"),
        (KIND + "GOOD = Kind(make=id, needs=3)\n", "what it needs is no text"),
    ],
)
def test_a_package_that_is_broken_as_it_is_loaded_keeps_no_command_from_working(
    sharing: Sharing, folder: Path, code: str, problem: str
) -> None:
    there = {"PYTHONPATH": f"{SOURCE}:{folder}"}
    ours = f'[[sinks]]\ntype = "segment"\nwrite-key = "key"\nhost = "{sharing.receiver.host}"\n'
    text = f'{TEXT}\n[[sinks]]\ntype = "odd-good"\nhost = "https://odd.example.org"\n{ours}'
    (sharing.project.folder / "make-metrics.toml").write_text(text)
    sharing.cli("opt-in", "--yes", environ=there)
    change(folder, code)
    assert problem in sharing.status(**there)["problems"][0]
    sharing.make("a")
    sharing.cli("flush", status=1, environ=there)
    assert "a" in sharing.receiver.commands  # the other receiver has it
    sharing.cli("sent", environ=there)
    assert "Nothing is sent any more" in sharing.cli("opt-out", environ=there)


def test_a_package_is_loaded_once_for_many_commands_and_again_when_it_changes(
    sharing: Sharing, folder: Path, tmp_path: Path
) -> None:
    there = {"PYTHONPATH": f"{SOURCE}:{folder}"}
    loads = tmp_path / "loads"
    (sharing.project.folder / "make-metrics.toml").write_text(
        f'{TEXT}\n[[sinks]]\ntype = "odd-good"\nhost = "https://odd.example.org"\n'
    )
    change(folder, COUNTS.format(str(loads)) + odd_sinks.CODE + "GOOD = Kind(make=Good)\n")
    for _ in range(3):
        assert sharing.status(**there)["problems"] == []
    assert loads.read_text() == "x"
    (file,) = sharing.paths.sink_kinds.iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    assert sharing.status(**there)["problems"] == []
    assert loads.read_text() == "xx"
    change(
        folder, odd_sinks.CODE + KIND + "GOOD = Kind(make=Good, keys=(Key('region', 'must be there', needed=True),))"
    )
    assert "sinks[0].region: must be there" in str(sharing.status(**there)["problems"])


def test_a_package_that_hangs_is_not_waited_for_by_each_command(
    here: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(declared, "_LOAD_S", 1.5)
    loads = tmp_path / "loads"
    change(here, COUNTS.format(str(loads)) + "import time\ntime.sleep(3600)\n")
    for _ in range(2):
        kinds.forget()
        with pytest.raises(UnavailableError, match="does not answer"):
            kinds.kind_of("odd-good")
    assert loads.read_text() == "x"
    later_s = time.time() + declared._AGAIN_S + 1
    monkeypatch.setattr("make_metrics.sinks.packages.declared.time.time", lambda: later_s)
    kinds.forget()
    with pytest.raises(UnavailableError, match="does not answer"):
        kinds.kind_of("odd-good")
    assert loads.read_text() == "xx"


@pytest.mark.usefixtures("here")
def test_what_was_sent_is_shown_by_the_package() -> None:
    assert kinds.readable("odd-showing", "https://odd.example.org", b"body") == "ODD body\n"
    assert kinds.readable("odd-good", "https://odd.example.org", b"\xff") == "base64: /w==\n"
    assert Paths.from_environment().sink_kinds.is_dir()
