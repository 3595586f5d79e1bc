"""Sinks of other packages, each in a process of its own: what one of them does harms no other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from make_metrics.files.lock import is_held
from make_metrics.sender import protocol
from make_metrics.sinks import kinds, last_check
from make_metrics.sinks.apart import making
from make_metrics.sinks.sink import Outcome, SinkSettings, UnavailableError
from tests.support import odd_sinks
from tests.support.project import SOURCE, Project, until
from tests.support.segment_receiver import Receiver
from tests.support.sharing_project import TEXT, Sharing

HOST = "https://odd.example.org"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return odd_sinks.install(tmp_path_factory.mktemp("odd") / "target")


@pytest.fixture
def sharing(tmp_path: Path, home: Path, receiver: Receiver) -> Sharing:
    return Sharing(Project(tmp_path / "project", home), receiver)


@pytest.fixture
def visible(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package, in this process too."""
    monkeypatch.syspath_prepend(str(installed))
    kinds.forget()
    yield
    kinds.forget()


def configure(sharing: Sharing, kind: str) -> None:
    """An odd sink, and behind it one of ours."""
    ours = f'[[sinks]]\ntype = "segment"\nwrite-key = "key"\nhost = "{sharing.receiver.host}"\n'
    text = f'{TEXT}\n[[sinks]]\ntype = "odd-{kind}"\nhost = "{HOST}"\n{ours}'
    (sharing.project.folder / "make-metrics.toml").write_text(text)


def workers(parent: int | None = None) -> list[psutil.Process]:
    """The processes of sinks, also those that have lost their parent."""
    processes = psutil.Process(parent).children(recursive=True) if parent else psutil.process_iter()
    return [each for each in processes if any(word.endswith("apart/worker.py") for word in words_of(each))]


def words_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("raising", r"ValueError: no \x1b[31mway"),
        ("deriving", "OddError: of its own"),
        ("exiting", "SystemExit: 3"),
        ("dying", "its process has ended"),
        ("hanging", "no answer within"),
        ("spinning", "no answer within"),
        ("talking", r"no \x1b[31mway"),
        ("lying", "TypeError: what it returned is no verdict"),
    ],
)
def test_whatever_a_sink_does_the_others_get_everything(
    sharing: Sharing, installed: Path, kind: str, problem: str
) -> None:
    there = {"PYTHONPATH": f"{SOURCE}:{installed}"}
    configure(sharing, kind)
    sharing.cli("opt-in", "--yes", environ=there)
    sharing.make("a")
    sharing.cli("flush", "--timeout", "3", status=1, environ=there)
    assert problem in sharing.errors
    assert "2 events wait" in sharing.errors
    assert "HELLO" not in sharing.errors
    assert len(sharing.receiver.ids) == len(set(sharing.receiver.ids)) == 2
    assert sharing.status(**there)["waiting"]["events"] == 2
    assert "\x1b" not in sharing.cli("status", environ=there)
    until(lambda: not workers_of(installed))


def workers_of(installed: Path) -> list[psutil.Process]:
    """The processes of sinks that can import this package."""
    return [each for each in workers() if str(installed) in environment_of(each).get("PYTHONPATH", "")]


def environment_of(process: psutil.Process) -> dict[str, str]:
    try:
        return process.environ()
    except psutil.Error:
        return {}


@pytest.mark.usefixtures("visible")
def test_a_sink_asks_before_bytes_leave(receiver: Receiver) -> None:
    sink = making.sink_of(SinkSettings("odd-good", host=receiver.host))
    assert sink.batches([{"a": 1}, {"b": 2}]) == [[0], [1]]
    assert sink.prepare([{"a": 1}]).body == b"body"
    asked = []

    def refuse() -> bool:
        asked.append(True)
        return False

    with last_check.asking(refuse):
        verdict = making.sink_of(SinkSettings("odd-asking", host=receiver.host)).send([{"a": 1}], timeout_s=10)
    assert (verdict.outcome, verdict.said) == (Outcome.LATER, "taken back before it was sent")
    assert asked
    assert receiver.requests == []


@pytest.mark.usefixtures("visible")
def test_what_a_sink_asks_to_wait_is_bounded_and_its_texts_print() -> None:
    verdict = making.sink_of(SinkSettings("odd-talking", host=HOST)).send([{}], timeout_s=10)
    assert verdict.after_s == 7 * 86_400
    assert (verdict.said, verdict.url) == (r"no \x1b[31mway", r"\udcff")


@pytest.mark.usefixtures("visible")
def test_a_process_that_has_died_is_not_asked_again() -> None:
    sink = making.sink_of(SinkSettings("odd-dying", host=HOST))
    assert "its process has ended" in sink.send([{}], timeout_s=10).said
    with pytest.raises(UnavailableError, match="its process has ended"):
        sink.batches([{}])


@pytest.mark.one_in(2)
@pytest.mark.parametrize("kind", ["hanging", "spinning"])
@pytest.mark.parametrize("is_alone", [False, True], ids=["with its sender", "after its sender"])
def test_opt_out_ends_a_sink_that_may_still_send(sharing: Sharing, installed: Path, kind: str, is_alone: bool) -> None:
    there = {"PYTHONPATH": f"{SOURCE}:{installed}"}
    configure(sharing, kind)
    sharing.cli("opt-in", "--yes", environ=there)
    sharing.make("a")
    command = [sys.executable, "-m", "make_metrics", "flush", "--timeout", "60"]
    environ = {**sharing.project.environment(), **there}
    flush = subprocess.Popen(command, cwd=sharing.project.folder, env=environ, stderr=subprocess.DEVNULL)
    try:
        until(lambda: (sharing.project.home / "hangs").exists())
        (worker,) = workers(flush.pid)
        if is_alone:
            worker.send_signal(signal.SIGSTOP)  # so that it cannot see that its parent is gone
            flush.kill()
            flush.wait()
        assert is_held(sharing.paths.send_lock)
        sharing.cli("opt-out", environ=there)
        assert "ended another make-metrics that was still sending" in sharing.errors
        until(lambda: not workers_of(installed))
        assert not is_held(sharing.paths.send_lock)
    finally:
        flush.kill()
        flush.wait()
        for each in workers_of(installed):
            each.kill()


def test_a_sink_ends_with_its_parent_even_while_it_holds_the_interpreter(installed: Path, tmp_path: Path) -> None:
    code = (
        "from make_metrics.sinks import sink\nfrom make_metrics.sinks.apart import making\n"
        "making.sink_of(sink.SinkSettings('odd-spinning', host='https://odd.example.org')).send([{}], timeout_s=1)\n"
    )
    environ = {**os.environ, "PYTHONPATH": f"{SOURCE}:{installed}", "HOME": str(tmp_path)}
    parent = subprocess.Popen([sys.executable, "-c", code], env=environ)
    until(lambda: (tmp_path / "hangs").exists())
    parent.kill()
    parent.wait()
    began_s = time.monotonic()
    until(lambda: not workers_of(installed))
    assert time.monotonic() - began_s < 30


BESIDE = """
from make_metrics.sender import sender
from make_metrics.sinks.apart import sink
def no_process(*words): raise RuntimeError("a process")
sink.Apart.__init__ = no_process
sender.main()
"""


def test_beside_a_line_a_sink_has_no_process_and_comes_last(sharing: Sharing, installed: Path) -> None:
    """The end of the line would leave it to a process 1 that does not wait for it."""
    there = {"PYTHONPATH": f"{SOURCE}:{installed}"}
    for kind, is_sent in (("dying", False), ("good", True)):
        configure(sharing, kind)
        sharing.cli("opt-in", "--yes", environ=there)
        sharing.make("a")
        task = {protocol.MAKE: protocol.BESIDE, protocol.GROUP: "0", protocol.STATE: str(sharing.paths.state)}
        task[protocol.PROJECT] = str(sharing.project.folder)
        sharing.project.run([sys.executable, "-c", BESIDE], env={**sharing.project.environment(), **there, **task})
        assert len(set(sharing.receiver.ids)) == 2
        sharing.receiver.accepted.clear()
        assert (HOST in sharing.cli("sent", environ=there)) == is_sent
