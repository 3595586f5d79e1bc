"""What a receiver gets of real failures, what it never gets, and what its answers decide."""

from __future__ import annotations

import json
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

pytestmark = pytest.mark.timeout(400)  # the first test may have to install bugsink

HEADERS = {
    "HTTP_HOST", "HTTP_USER_AGENT", "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING", "HTTP_CONNECTION", "HTTP_X_SENTRY_AUTH",
    "CONTENT_TYPE", "CONTENT_LENGTH",
}  # fmt: skip
# Without it a shim cannot tell what make's environment allowed, and its failures stay on the machine.
needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")


def taken(served: Bugsink) -> list[dict[str, Any]]:
    """The envelopes that the receiver got with each request, its answer's status in front."""
    found = []
    for request in served.requests():
        header, item, payload = request["body"].encode("latin-1").decode().splitlines()
        found.append(
            {"status": request["status"], "header": json.loads(header), "item": json.loads(item),
             "event": json.loads(payload), "headers": request["headers"]}
        )  # fmt: skip
    return found


@needs_proc
def test_nothing_planted_reaches_a_real_receiver(crashing: Crashing, served: Bugsink) -> None:
    """Real failures of shim, walk and commands, with secrets wherever a report could take one up."""
    project, folder = crashing.project, crashing.folder
    crashing.cli("crash-reports", "on", "--yes")
    target, secret, argument = SECRETS["target"], SECRETS["environment"], SECRETS["argv"]
    project.write(f"all: {target}\n\t@echo all\n{target}:\n\t@echo {argument} $$SECRET\n")
    copy = break_module(folder, *RECORDER_FAILS)
    hidden = f"hidden = {SECRETS['local']!r}; int(__import__('os').environ['SECRET'] + hidden)"
    break_module(folder, "processes/command_line.py", function_begins("builds_nothing", hidden))
    told = "import os, sys\nraise RuntimeError(f'{words} {named} {os.getcwd()} {sys.argv} {os.environ}')"
    break_module(folder, "commands/events.py", function_begins("run", told))
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
    assert crashing.said == ""
    assert crashing.fates == ["sent"] * 4
    got = taken(served)[before:]
    assert [one["status"] for one in got] == [200] * 4
    everything = served.everything()
    for word in (*SECRETS.values(), "s3cret", socket.gethostname(), str(folder), str(ROOT)):
        assert word.encode() not in everything, word
    for one in got:
        assert crash_report.check(one["event"]) == []
        assert one["header"] == {"event_id": one["event"]["event_id"]}
        assert set(one["item"]) == {"type", "content_type", "length"}
        assert one["headers"].keys() <= HEADERS
        assert one["headers"]["HTTP_USER_AGENT"].startswith("make-metrics/")
    values = [value for one in got for value in one["event"]["exception"]["values"]]
    types = [value["type"] for value in values]
    assert sorted(types) == ["FileNotFoundError", "KeyError", "LookupError", "OSError", "RuntimeError", "ValueError"]
    assert not any("value" in value for value in values)
    kept = {event["event_id"]: event for event in served.events()}
    for one in got:
        stored = kept[one["event"]["event_id"]]
        assert stored["exception"]["values"][-1]["stacktrace"]["frames"][-1]["filename"].startswith("make_metrics/")


@needs_proc
def test_a_message_of_ours_is_sent_and_of_nobody_else(crashing: Crashing, served: Bugsink) -> None:
    crashing.cli("crash-reports", "on", "--yes")
    words = ["mm9", "t:a", "g:-", "m:0:4.3:make:f", f"h:{crashing.paths.state}", "e:", "1", "/bin/sh", "-c", "echo hi"]
    line = shlex.join([sys.executable, "-I", "-S", f"{ROOT}/shim/make_metrics/entry.py", *words])
    crashing.project.write(f"all:\n\t@{line}\n", line="")
    done = crashing.project.make()
    assert (done.returncode, done.stdout, done.stderr) == (0, "hi\n", "")
    crashing.cli("flush")
    (value,) = taken(served)[-1]["event"]["exception"]["values"]
    assert (value["type"], value["value"]) == ("ValueError", "another protocol")
    assert value["stacktrace"]["frames"][-1]["function"] == "Arguments.__init__"
    assert taken(served)[-1]["event"]["tags"]["make"] == "4.3"


@pytest.fixture
def answering() -> Iterator[tuple[str, list[tuple[int, dict[str, str]]], list[str]]]:
    """A receiver with scripted answers: its address, the answers to come, and the paths that were asked for."""
    script: list[tuple[int, dict[str, str]]] = []
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
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
        yield f"127.0.0.1:{server.server_port}", script, asked
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "headers", "said", "again"),
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
def test_what_a_receiver_answers_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    answering: tuple[str, list[tuple[int, dict[str, str]]], list[str]],
    status: int, headers: dict[str, str], said: str, again: bool,
) -> None:  # fmt: skip
    host, script, asked = answering
    crashing = Crashing(tmp_path, f"http://key@{host}/7", monkeypatch, capsys)
    crashing.cli("crash-reports", "on", "--yes")
    crashing.fail()
    script.append((status, headers))
    crashing.cli("flush", status=int(bool(said)))
    assert said in crashing.said
    assert crashing.fates == ["" if said else "refused: the receiver answered 400"]
    crashing.cli("flush", status=int(bool(said) and not again))
    assert asked == ["/api/7/envelope/"] * (1 + again)
    assert crashing.fates == ["sent"] if again else crashing.fates != ["sent"]
