"""After `opt-out` and its kind have returned, no request arrives, wherever a sender was when they began."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
import trustme

from make_metrics.crashes import log as crash_log
from make_metrics.processes import keys
from make_metrics.project.settings import NAME
from make_metrics.sender import stop
from tests.support.preload import LOOKUP_HANGS, preload
from tests.support.project import SOURCE, Project, started, until
from tests.support.proxy import tunnel
from tests.support.segment_receiver import Answer, Receiver, receiving
from tests.support.senders import Senders
from tests.support.sharing_project import TEXT, Sharing

STAGES = ["accept", "handshake", "look-up", "proxy", "tunnel"]
PROTOCOLS = ["segment", "otlp", "sentry"]
_LIMIT_S = 60


@dataclass(slots=True)
class Gate:
    """Something on the way to a receiver that holds a sender until it is opened.

    `reached`: a sender is there. If the port's `queue_is_full`, only the sender's own side of the connection shows it.
    """

    queue_is_full: bool = False
    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)
    port: int = 0


@contextmanager
def gate(stage: str, receiver: Receiver) -> Iterator[Gate]:
    """A port before a receiver. It is reached when a sender has connected, or, for `accept`, waits to be connected."""
    found = Gate(queue_is_full=stage == "accept")

    def serve() -> None:
        if found.queue_is_full:
            found.opened.wait(_LIMIT_S)
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=forward, args=(client,), daemon=True).start()

    def forward(client: socket.socket) -> None:
        with client:
            try:
                if stage in ("proxy", "tunnel"):
                    asked = client.recv(65_536) if stage == "tunnel" else b""
                found.reached.set()
                found.opened.wait(_LIMIT_S)
                if stage in ("proxy", "tunnel"):
                    asked = asked or client.recv(65_536)
                    if not asked.startswith(b"CONNECT"):
                        return
                    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                with socket.create_connection(("127.0.0.1", receiver.port)) as onward:
                    tunnel(client, onward)
            except OSError:
                pass

    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(0 if found.queue_is_full else 16)
    found.port = server.getsockname()[1]
    crowd = []
    if found.queue_is_full:  # further connections are not made until one is accepted
        for _ in range(4):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", found.port))
            crowd.append(waiting)
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.opened.set()
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        for waiting in crowd:
            waiting.close()
        thread.join(_LIMIT_S)


@dataclass(slots=True)
class Way:
    """A project with a yes whose sender will stand before a gate."""

    project: Project
    gate: Gate
    receiver: Receiver
    environ: dict[str, str]
    crashes: bool
    reached: list[Path]
    hold: Path

    def cli(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.project.run([sys.executable, "-m", "make_metrics", *words], env=self.environ)

    def flush(self) -> subprocess.Popen[str]:
        words = [sys.executable, "-m", "make_metrics", "flush", "--timeout", "60"]
        pipe = subprocess.PIPE
        return subprocess.Popen(words, cwd=self.project.folder, env=self.environ, text=True, stdout=pipe, stderr=pipe)

    def is_reached(self, pid: int) -> bool:
        """Whether the sender, a process, stands before the gate."""
        waits = is_connecting(pid, self.gate.port) if self.gate.queue_is_full else self.gate.reached.is_set()
        return waits and all(path.exists() for path in self.reached)

    def open(self) -> None:
        self.hold.unlink(missing_ok=True)
        self.gate.opened.set()

    def has_no(self, command: str) -> bool:
        paths = self.project.paths
        if command == "off":
            return paths.off_file.exists()
        if command == "on-this-machine":
            return paths.on_this_machine_file.exists()
        directory = paths.crash_decisions if self.crashes else paths.decisions
        return any(json.loads(path.read_text())["decision"] == "no" for path in directory.glob("*.json"))


def fail(project: Project) -> None:
    """Log a failure of ours in a project."""
    with contextlib.chdir(project.folder):
        try:
            keys.process_key("no number")  # type: ignore[arg-type]
        except Exception as error:
            crash_log.note(error, part="sender", paths=project.paths, environ={})


@contextmanager
def way(tmp_path: Path, home: Path, protocol: str, stage: str) -> Iterator[Way]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost", "receiver.invalid").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    project = Project(tmp_path / "project", home)
    project.write("a:\n\t@:\n")
    with receiving(context, made_up=True) as receiver, gate(stage, receiver) as found:
        proxied = stage in ("proxy", "tunnel")
        host = f"receiver.invalid:{receiver.port}" if proxied else f"localhost:{found.port}"
        sink = f'[[sinks]]\ntype = "{protocol}"\nwrite-key = "key"\nhost = "https://{host}"\n'
        if protocol == "otlp":
            sink += 'signals = "traces"\n'
        if protocol == "sentry":
            sink = f'crash-reports-dsn = "https://key@{host}/1"\n'
        (project.folder / NAME).write_text(f"{TEXT}{sink}")
        user_settings = project.paths.user_settings
        user_settings.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        proxy = f'proxy = "http://127.0.0.1:{found.port}"\n' if proxied else ""
        user_settings.write_text(f'timeout = 60\nca-file = "{ca_file}"\n{proxy}')
        environ = {**project.environment(), "PYTHONPATH": str(SOURCE), "CI": "true"}
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            environ.pop(name, None)
        hold = tmp_path / "hold"
        reached = []
        if stage == "look-up":
            hold.touch()
            environ |= preload(tmp_path, **{LOOKUP_HANGS: str(hold)})
            found.reached.set()
            reached.append(tmp_path / "hold.hangs")
        on = Way(project, found, receiver, environ, protocol == "sentry", reached, hold)
        said = on.cli(*(("crash-reports", "on") if on.crashes else ("opt-in",)), "--yes")
        assert said.returncode == 0, said.stderr
        if on.crashes:
            fail(project)
        yield on


@pytest.mark.one_in(3)
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("moment", ["while opt-out waits", "after opt-out"])
def test_wherever_a_sender_is_nothing_arrives_after_a_withdrawal(
    tmp_path: Path, home: Path, protocol: str, stage: str, moment: str
) -> None:
    with way(tmp_path, home, protocol, stage) as on, started(on.flush()) as flush:
        lock = on.project.paths.crash_lock if on.crashes else on.project.paths.send_lock
        until(lambda: on.is_reached(flush.pid) and is_held(lock), seconds=_LIMIT_S)
        assert on.receiver.requests == []

        def open_meanwhile() -> None:
            until(lambda: on.has_no("opt-out"), seconds=_LIMIT_S)
            on.open()

        opener = threading.Thread(target=open_meanwhile, daemon=True)
        if moment == "while opt-out waits":
            opener.start()
        done = on.cli("opt-out")
        assert done.returncode == 0, done.stderr
        assert "that was" in done.stderr
        arrived = len(on.receiver.requests)
        on.open()
        flush.wait(_LIMIT_S)  # nobody else could send
        assert (arrived, on.receiver.requests) == (0, [])
        if moment == "after opt-out":
            assert "ended another make-metrics that was still sending" in done.stderr
        again = on.cli("flush")
        assert "nothing sent" in again.stdout
        assert on.receiver.requests == []


@pytest.mark.parametrize("command", [("off",), ("on-this-machine",), ("crash-reports", "off")])
def test_each_command_that_takes_a_yes_back_waits(tmp_path: Path, home: Path, command: tuple[str, ...]) -> None:
    protocol = "sentry" if command[0] == "crash-reports" else "segment"
    with way(tmp_path, home, protocol, "handshake") as on, started(on.flush()) as flush:
        until(lambda: on.is_reached(flush.pid), seconds=_LIMIT_S)
        done = on.cli(*command)
        assert (done.returncode, "ended another make-metrics" in done.stderr) == (0, True)
        on.open()
        flush.wait(_LIMIT_S)
        assert on.receiver.requests == []


def is_connecting(pid: int, port: int) -> bool:
    connections = psutil.Process(pid).net_connections()
    return any(one.status == psutil.CONN_SYN_SENT and one.raddr and one.raddr.port == port for one in connections)


def is_held(path: Path) -> bool:
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@pytest.fixture
def sharing(tmp_path: Path, home: Path, receiver: Receiver) -> Sharing:
    found = Sharing(Project(tmp_path / "project", home), receiver)
    found.cli("opt-in", "--yes")
    return found


def test_a_makes_sender_that_waits_for_an_answer_is_ended(
    sharing: Sharing, receiver: Receiver, senders: Senders
) -> None:
    receiver.answers(*[Answer(deed="hang")] * 9)
    done = sharing.project.make("a", env=sharing.project.environment(MAKE_METRICS_SENDER="detached"))
    assert done.returncode == 0
    until(lambda: receiver.requests or not senders.left(), seconds=_LIMIT_S)
    began = time.monotonic()
    sharing.cli("opt-out")
    assert time.monotonic() - began < _LIMIT_S
    requests = len(receiver.requests)
    senders.gone()
    assert len(receiver.requests) == requests


def test_a_request_that_ends_in_time_is_waited_for(sharing: Sharing, receiver: Receiver) -> None:
    receiver.answers(Answer(deed="late"))
    words = [sys.executable, "-m", "make_metrics", "flush", "--timeout", "60"]
    environ = {**sharing.project.environment(), "PYTHONPATH": str(SOURCE)}
    pipe = subprocess.PIPE
    with started(subprocess.Popen(words, cwd=sharing.project.folder, env=environ, stdout=pipe, text=True)) as flush:
        until(lambda: len(receiver.requests) == 1, seconds=_LIMIT_S)

        def release() -> None:
            until(lambda: no_is_written(sharing), seconds=_LIMIT_S)
            receiver.released.set()

        threading.Thread(target=release, daemon=True).start()
        sharing.cli("opt-out")
        assert flush.wait(_LIMIT_S) in (0, 1)
        assert "waited for another make-metrics that was sending\n" in sharing.errors
    assert len(receiver.requests) == 1


def no_is_written(sharing: Sharing) -> bool:
    return any('"no"' in path.read_text() for path in sharing.paths.decisions.glob("*.json"))


def test_a_file_gets_nothing_after_an_opt_out(tmp_path: Path, home: Path) -> None:
    project = Project(tmp_path / "project", home)
    (project.folder / NAME).write_text(f'{TEXT}[[sinks]]\ntype = "file"\n')
    environ = {**project.environment(), "PYTHONPATH": str(SOURCE), "CI": "true"}
    command = [sys.executable, "-m", "make_metrics"]
    assert project.run([*command, "opt-in", "--yes"], env=environ).returncode == 0
    files = project.paths.files
    files.mkdir(parents=True, mode=0o700)
    lock = files / ".events.jsonl.lock"
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    words = [*command, "flush", "--timeout", "60"]
    with started(
        subprocess.Popen(words, cwd=project.folder, env=environ, text=True, stdout=subprocess.DEVNULL)
    ) as flush:
        until(lambda: lock.name in open_names(flush.pid), seconds=_LIMIT_S)

        def release() -> None:
            until(lambda: any('"no"' in path.read_text() for path in project.paths.decisions.glob("*.json")))
            os.close(descriptor)

        threading.Thread(target=release, daemon=True).start()
        done = project.run([*command, "opt-out"], env=environ)
        assert (done.returncode, "that was" in done.stderr) == (0, True)
        flush.wait(_LIMIT_S)
    written = files / "events.jsonl"
    assert not written.exists() or written.read_bytes() == b""


def open_names(pid: int) -> set[str]:
    return {Path(file.path).name for file in psutil.Process(pid).open_files()}


def test_a_stranger_who_holds_the_lock_is_not_ended_and_is_said(sharing: Sharing) -> None:
    """As a sender of another container is: it cannot be seen, and what waited is deleted all the same."""
    path = sharing.paths.send_lock
    code = (
        "import fcntl, sys; file = open(sys.argv[1], 'w'); fcntl.flock(file, fcntl.LOCK_EX); print('held', flush=True)"
    )
    code += "; sys.stdin.read()"
    pipe = subprocess.PIPE
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with started(subprocess.Popen([sys.executable, "-c", code, path], stdin=pipe, stdout=pipe, text=True)) as stranger:
        assert stranger.stdout is not None
        assert stranger.stdout.readline() == "held\n"
        sharing.cli("opt-out", status=1)
        assert f"cannot be ended from here: end who uses {path}" in sharing.errors
        assert stranger.poll() is None
    assert sharing.mode() == ("local", "decision")
    assert sharing.status()["waiting"]["events"] == 0


@pytest.mark.parametrize(
    ("words", "sends"),
    [
        (["/usr/bin/python3", "-I", "/opt/lib/make_metrics/sender/sender.py"], True),
        (["/usr/bin/python3", "/usr/local/bin/make-metrics", "flush"], True),
        (["python", "-I", "-m", "make_metrics", "flush", "--timeout", "3"], True),
        (["python", "-m", "make_metrics", "report"], False),
        (["vi", "/opt/lib/make_metrics/sender/sender.py.orig"], False),
        (["git", "flush"], False),
        ([], False),
    ],
)
def test_only_our_senders_are_known_as_such(words: list[str], sends: bool) -> None:
    assert stop._sends(words) is sends


def test_what_a_killed_sender_has_written_does_not_go_on() -> None:
    """The system would go on sending for a process that is gone."""
    code = """
import sys
from make_metrics.sinks import Network
from make_metrics.sinks.network import Session
print("ready", flush=True)
Session(Network()).post(sys.argv[1], b"x" * 3_000_000, timeout=60)
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        environ = {**os.environ, "PYTHONPATH": str(SOURCE)}
        host = f"http://127.0.0.1:{server.getsockname()[1]}"
        with started(subprocess.Popen([sys.executable, "-c", code, host], env=environ, text=True)) as process:
            connection, _ = server.accept()
            with connection:
                assert connection.recv(1)
                until(lambda: not is_sending(connection), seconds=_LIMIT_S)
                process.kill()
                process.wait(_LIMIT_S)
                with pytest.raises(ConnectionResetError):
                    read_to_the_end(connection)


def read_to_the_end(connection: socket.socket) -> None:
    while connection.recv(65_536):
        pass


def is_sending(connection: socket.socket) -> bool:
    """Whether what can be read at a socket still grows."""
    peeked = connection.recv(8_000_000, socket.MSG_PEEK)
    select.select([], [], [], 0.3)
    return len(connection.recv(8_000_000, socket.MSG_PEEK)) > len(peeked)
