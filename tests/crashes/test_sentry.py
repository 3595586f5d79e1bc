"""What a real receiver gets of real failures, what it never gets, and what its answers decide."""

from __future__ import annotations

import json
import re
import shlex
import socket
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from make_metrics.crashes import report as crash_report
from tests.support.broken_copy import RECORDER_FAILS, break_module, logged_failures, mend_module, run_command, use_copy
from tests.support.bugsink import Bugsink
from tests.support.crashing_project import SECRETS, Crashing
from tests.support.mutation import function_begins
from tests.support.project import ROOT, until
from tests.support.segment_receiver import Answer, receiving

pytestmark = pytest.mark.timeout(400)  # the first test may have to install bugsink

HEADERS = {
    "HTTP_HOST", "HTTP_USER_AGENT", "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING", "HTTP_CONNECTION", "HTTP_X_SENTRY_AUTH",
    "CONTENT_TYPE", "CONTENT_LENGTH",
}  # fmt: skip
# Without /proc a shim does not know what make's environment allows, and its failures stay on the machine.
needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")


def envelopes(served: Bugsink) -> list[dict[str, Any]]:
    """The envelope of each request to the receiver, with the status of its answer."""
    received = []
    for request in served.requests():
        header, item, payload = request["body"].encode("latin-1").decode().splitlines()
        received.append(
            {"status": request["status"], "header": json.loads(header), "item": json.loads(item),
             "event": json.loads(payload), "headers": request["headers"]}
        )  # fmt: skip
    return received


@needs_proc
def test_no_planted_word_reaches_a_real_receiver(crashing: Crashing, served: Bugsink) -> None:
    """Real failures of shim, walk and commands, with secrets wherever a report could pick one up."""
    project, folder = crashing.project, crashing.folder
    crashing.cli("crash-reports", "on", "--yes")
    target, secret, argument = SECRETS["target"], SECRETS["environment"], SECRETS["argv"]
    project.write(f"all: {target}\n\t@echo all\n{target}:\n\t@echo {argument} $$SECRET\n")
    copy = break_module(folder, *RECORDER_FAILS)
    hidden = f"hidden = {SECRETS['local']!r}; int(__import__('os').environ['SECRET'] + hidden)"
    break_module(folder, "processes/command_line.py", function_begins("builds_nothing", hidden))
    all_words = "import os, sys\nraise RuntimeError(f'{words} {named} {os.getcwd()} {sys.argv} {os.environ}')"
    break_module(folder, "commands/events.py", function_begins("run", all_words))
    chain = f"""
try:
    try:
        __import__('os').stat({SECRETS["system"]!r})
    except OSError as error:
        raise OSError(9, error.filename) from error
except OSError as error:
    raise LookupError(error) from error
"""
    break_module(folder, "commands/sent.py", function_begins("run", chain))
    use_copy(project, copy)
    environ = project.environment(SECRET=secret)
    done = project.make(target, f"VARIABLE={argument}", env=environ)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", f"{argument} {secret}\n")
    mend_module(copy, "hot/recorder.py")
    assert project.make("all", f"VARIABLE={argument}", env=environ).returncode == 0
    assert run_command(project, copy, "events", "--since", argument, SECRET=secret).returncode == 3
    assert run_command(project, copy, "sent", SECRET=secret).returncode == 3
    until(lambda: len(logged_failures(project)) == 4)
    planted = " ".join(str(entry) for entry in logged_failures(project))
    assert [name for name, word in SECRETS.items() if word not in planted] == []

    before = len(served.requests())
    sentry = {"SENTRY_ENVIRONMENT": secret, "SENTRY_DEBUG": "1", "SENTRY_RELEASE": secret, "SENTRY_SPOTLIGHT": "1"}
    assert crashing.cli("flush", environ=sentry) == "nothing sent\n4 crash reports sent\n"
    assert crashing.errors == ""
    assert crashing.outcomes == ["sent"] * 4
    sent = envelopes(served)[before:]
    assert [envelope["status"] for envelope in sent] == [200] * 4
    everything = served.everything()
    for word in (*SECRETS.values(), "s3cret", str(folder), str(ROOT)):
        assert word not in everything, word
    assert not re.search(rf"\b{re.escape(socket.gethostname())}\b", everything)  # it may have two letters
    for envelope in sent:
        assert crash_report.check(envelope["event"]) == []
        assert envelope["header"] == {"event_id": envelope["event"]["event_id"]}
        assert set(envelope["item"]) == {"type", "content_type", "length"}
        assert envelope["headers"].keys() <= HEADERS
        assert envelope["headers"]["HTTP_USER_AGENT"].startswith("make-metrics/")
    values = [value for envelope in sent for value in envelope["event"]["exception"]["values"]]
    types = [value["type"] for value in values]
    assert sorted(types) == ["FileNotFoundError", "KeyError", "LookupError", "OSError", "RuntimeError", "ValueError"]
    assert not any("value" in value for value in values)
    kept = {event["event_id"]: event for event in served.events()}
    for envelope in sent:
        stored = kept[envelope["event"]["event_id"]]
        assert stored["exception"]["values"][-1]["stacktrace"]["frames"][-1]["filename"].startswith("make_metrics/")


@needs_proc
def test_a_message_from_our_own_source_is_sent(crashing: Crashing, served: Bugsink) -> None:
    crashing.cli("crash-reports", "on", "--yes")
    words = ["mm9", "t:a", "g:-", "m:0:4.3:make:f", f"h:{crashing.paths.state}", "e:", "1", "/bin/sh", "-c", "echo hi"]
    line = shlex.join([sys.executable, "-I", "-S", f"{ROOT}/shim/make_metrics/entry.py", *words])
    crashing.project.write(f"all:\n\t@{line}\n", line="")
    done = crashing.project.make()
    assert (done.returncode, done.stdout, done.stderr) == (0, "hi\n", "")
    crashing.cli("flush")
    (value,) = envelopes(served)[-1]["event"]["exception"]["values"]
    assert (value["type"], value["value"]) == ("ValueError", "another protocol")
    assert value["stacktrace"]["frames"][-1]["function"] == "Arguments.__init__"
    assert envelopes(served)[-1]["event"]["tags"]["make"] == "4.3"


@pytest.fixture
def answering() -> Iterator[tuple[str, list[tuple[int, dict[str, str]]], list[str]]]:
    """A receiver with scripted answers: its address, the next answers, and the paths of the requests."""
    script: list[tuple[int, dict[str, str]]] = []
    requested: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            requested.append(self.path)
            status, headers = script.pop(0) if script else (200, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        do_GET = do_POST  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_port}", script, requested
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "headers", "problem", "again"),
    [
        (500, {}, "the receiver answered 500: crash reports wait", True),
        (408, {}, "the receiver answered 408: crash reports wait", True),
        (429, {"Retry-After": "120"}, "the receiver answered 429: crash reports wait", False),
        (429, {"X-Sentry-Rate-Limits": "60:error:key"}, "the receiver answered 429: crash reports wait", False),
        (401, {}, "the DSN in the settings is wrong: crash reports wait", False),
        (302, {"Location": "/elsewhere"}, "a redirect: nothing was sent there: crash reports wait", True),
        (400, {}, "", False),
    ],
)
def test_the_answer_decides_whether_a_report_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    answering: tuple[str, list[tuple[int, dict[str, str]]], list[str]],
    status: int, headers: dict[str, str], problem: str, again: bool,
) -> None:  # fmt: skip
    host, script, requested = answering
    crashing = Crashing(tmp_path, f"http://key@{host}/7", monkeypatch, capsys)
    crashing.cli("crash-reports", "on", "--yes")
    crashing.fail()
    script.append((status, headers))
    crashing.cli("flush", status=int(bool(problem)))
    assert problem in crashing.errors
    assert crashing.outcomes == ["" if problem else "refused: the receiver answered 400"]
    crashing.cli("flush", status=int(bool(problem) and not again))
    assert requested == ["/api/7/envelope/"] * (1 + again)
    assert crashing.outcomes == ["sent"] if again else crashing.outcomes != ["sent"]


def test_the_receiver_gets_the_users_headers_and_nothing_shows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "s3cret-of-the-team"  # noqa: S105
    with receiving(made_up=True) as receiver, receiving(made_up=True) as other:
        crashing = Crashing(tmp_path, f"{receiver.host.replace('//', '//key@')}/7", monkeypatch, capsys)
        settings = crashing.paths.user_settings
        settings.write_text(f'timeout = 60\n[headers."{receiver.host}"]\nX-Team = "{secret}"\n')
        settings.chmod(0o644)
        crashing.cli("crash-reports", "on", "--yes")
        crashing.fail()
        crashing.cli("flush", status=1)
        assert f"headers: not used, since others may read them: chmod 600 {settings}" in crashing.errors
        settings.chmod(0o600)
        receiver.answers(Answer(302, {"Location": f"{other.host}/elsewhere"}))
        crashing.cli("flush", status=1)
        crashing.cli("flush")
        assert [request.headers["X-Team"] for request in receiver.requests] == [secret] * 2
        assert other.requests == []
        for words, status in ((["crash-reports", "preview"], 0), (["doctor"], 1), (["status"], 0), (["sent"], 0)):
            assert secret not in crashing.cli(*words, status=status) + crashing.errors
        holding = [path for path in tmp_path.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]
        assert holding == [settings]
