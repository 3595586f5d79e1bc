"""Crash reports: the separate yes, what a real receiver gets of real failures, and what it never does."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pexpect
import pytest

from make_metrics import cli
from make_metrics.consent import consent
from make_metrics.crashes import log as crash_log
from make_metrics.crashes import notice as crash_notice
from make_metrics.crashes import report as crash_report
from make_metrics.crashes.own_message import own_text
from make_metrics.crashes.question import CRASHES
from make_metrics.project.project import project_of
from make_metrics.project.settings import NAME
from tests.support.broken_copy import broken, command, log, use
from tests.support.bugsink import Bugsink, bugsink
from tests.support.project import ROOT, SOURCE, Project, makes, until
from tests.support.sharing_project import TEXT, ended

BOOK = (
    '        self.attended = False\n        self.invitation = b""\n        self.run =',
    '        self.attended = False\n        self.invitation = b""\n        self.run = {}[arguments.target]  #',
)
pytestmark = pytest.mark.timeout(400)  # the first test may have to install bugsink
SECRETS = {
    "argv": "s3cret-argument",
    "environment": "s3cret-environment",
    "target": "s3cret-target",
    "home": "s3cret-home",
    "project": "s3cret-project",
    "local": "s3cret-local",
    "system": "s3cret-file-name",
}


HEADERS = {
    "HTTP_HOST", "HTTP_USER_AGENT", "HTTP_ACCEPT", "HTTP_ACCEPT_ENCODING", "HTTP_CONNECTION", "HTTP_X_SENTRY_AUTH",
    "CONTENT_TYPE", "CONTENT_LENGTH",
}  # fmt: skip


# Without it a shim cannot tell what make's environment allowed, and its failures stay on the machine.
needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bugsink]:
    with bugsink(tmp_path_factory.mktemp("bugsink")) as found:
        yield found


class Crashing:
    """A project with a DSN, in a home and a folder whose names are secrets; commands run in this process."""

    def __init__(self, folder: Path, dsn: str, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        home = folder / SECRETS["home"]
        home.mkdir()
        self.folder, self.dsn, self.patch, self.capsys = folder, dsn, patch, capsys
        self.project = Project(folder / SECRETS["project"], home, next(iter(makes().values())), compiled=False)
        self.paths = self.project.paths
        self.settings(dsn)
        self.paths.user_settings.parent.mkdir(mode=0o700, parents=True)
        self.paths.user_settings.write_text("timeout = 60\n")  # on a slow machine
        patch.chdir(self.project.folder)
        for name in ("HOME", "MAKE_METRICS_HOME"):
            patch.setenv(name, str(home))
        for name in ("CI", "TF_BUILD", "JENKINS_URL", "TEAMCITY_VERSION"):
            patch.delenv(name, raising=False)

    def settings(self, dsn: str | None, more: str = "") -> None:
        line = f'crash-reports-dsn = "{dsn}"\n' if dsn else ""
        (self.project.folder / NAME).write_text(f"{TEXT}{line}{more}")

    def cli(self, *words: str, status: int = 0, environ: Mapping[str, str] | None = None) -> str:
        """Run a command; standard output. `said` is what was on standard error."""
        with self.patch.context() as patch:
            for name, value in (environ or {}).items():
                patch.setenv(name, value)
            found = cli.main([*words, "--timeout", "100"] if words == ("flush",) else words)
        out, self.said = self.capsys.readouterr()
        assert found == status, out + self.said
        return out

    def fail(self, environ: Mapping[str, str] | None = None) -> None:
        """Let a command of ours fail as by a bug."""
        with self.patch.context() as patch:
            patch.setattr("make_metrics.commands.runs.run", None)
            self.cli("runs", status=3, environ=environ)

    @property
    def fates(self) -> list[str]:
        """What became of each failure in the log."""
        return [entry.became for entry in log(self.project)]

    def status(self) -> dict[str, str]:
        lines = [line.partition(": ") for line in self.cli("crash-reports", "status").splitlines()]
        return {name: value for name, _, value in lines}


@pytest.fixture
def crashing(
    tmp_path: Path, served: Bugsink, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Crashing:
    return Crashing(tmp_path, served.dsn, monkeypatch, capsys)


@pytest.fixture
def refusing() -> Iterator[str]:
    """An address that refuses every connection: a port that is taken, and nobody listens at."""
    with socket.socket() as port:
        port.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{port.getsockname()[1]}"


@pytest.fixture
def offline(
    tmp_path: Path, refusing: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Crashing:
    """A project whose receiver is not there."""
    return Crashing(tmp_path, f"http://key@{refusing}/1", monkeypatch, capsys)


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
    copy = broken(folder, "hot/recorder.py", *BOOK)
    flags = "    makeflags = os.environ.get("
    hidden = f"    hidden = {SECRETS['local']!r}; int(os.environ['SECRET'] + hidden)\n"
    broken(folder, "walk/walk.py", flags, hidden + flags)
    told = "f'{since} {os.getcwd()} {sys.argv} {os.environ}'"
    broken(folder, "commands/events.py", "    begin =", f"    import os\n    raise RuntimeError({told})\n    begin =")
    lines = ["import os", "try:", f"    os.stat({SECRETS['system']!r})", "except OSError as error:",
             "    raise OSError(9, error.filename) from error", "paths ="]  # fmt: skip
    broken(folder, "commands/sent.py", "    paths =", "\n".join(f"    {line}" for line in lines))
    broken(folder, "cli.py", "    except OSError as error:\n", "    except BlockingIOError as error:\n")
    use(project, copy)
    environ = project.environment(SECRET=secret)
    said = project.make(target, f"VARIABLE={argument}", env=environ)
    assert (said.returncode, said.stderr, said.stdout) == (0, "", f"{argument} {secret}\n")
    (copy / "shim/make_metrics/hot/recorder.py").write_text((SOURCE / "make_metrics/hot/recorder.py").read_text())
    assert project.make("all", f"VARIABLE={argument}", env=environ).returncode == 0
    assert command(project, copy, "events", "--since", argument, SECRET=secret).returncode == 3
    assert command(project, copy, "sent", SECRET=secret).returncode == 3
    until(lambda: len(log(project)) == 4)
    planted = " ".join(str(entry) for entry in log(project))
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
    assert sorted(types) == ["FileNotFoundError", "KeyError", "OSError", "RuntimeError", "ValueError"]
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


def test_offline_first_then_delivered_once(crashing: Crashing, served: Bugsink, refusing: str) -> None:
    crashing.cli("crash-reports", "on", "--yes")
    crashing.fail()
    before = len(served.requests())
    for _ in range(2):
        crashing.cli("flush", status=1, environ={"http_proxy": f"http://{refusing}"})
        assert "the proxy cannot be reached, or refuses: crash reports wait" in crashing.said
    assert (crashing.fates, crashing.status()["waiting"]) == ([""], "1")
    previewed = crashing.cli("crash-reports", "preview")
    assert "1 crash report sent\n" in crashing.cli("flush")
    assert crashing.status()["waiting"] == "0"
    crashing.fail()
    assert "crash report" not in crashing.cli("flush")
    (got,) = served.requests()[before:]
    path = previewed.splitlines()[0].removeprefix("POST ")
    assert path.endswith(got["path"])
    assert previewed == f"POST {path}\n{got['body']}"
    assert got["body"] in crashing.cli("sent")


def test_a_report_that_is_sent_twice_is_recognised(crashing: Crashing, served: Bugsink) -> None:
    """As when the sender died before it could write down that the receiver had accepted."""
    crashing.cli("crash-reports", "on", "--yes")
    crashing.fail()
    crashing.cli("flush")
    kept = len(served.events())
    for mark in crashing.paths.crashes.glob("*.sent"):
        mark.unlink()
    crashing.cli("flush")
    first, second = served.requests()[-2:]
    assert first["body"] == second["body"]
    assert len(served.events()) == kept
    assert crashing.fates == ["sent"]


@pytest.mark.parametrize("part", ["crash_delivery.py", "sinks/sentry.py"])
def test_a_failing_reporter_changes_nothing(crashing: Crashing, part: str) -> None:
    crashing.cli("crash-reports", "on", "--yes")
    crashing.fail()
    place = "    if not waiting(paths, environ):\n" if part == "crash_delivery.py" else "        kept = _Kept()\n"
    copy = broken(crashing.folder, part, place, f"{place[: len(place) - len(place.lstrip())]}{{}}[1]\n{place}")
    done = command(crashing.project, copy, "flush")
    assert (done.returncode, done.stdout) == (1, "nothing sent\n")
    assert done.stderr == "make-metrics: crash reports could not be sent: see make-metrics doctor\n"
    assert sorted(entry.part for entry in log(crashing.project)) == ["command", "crash reports"]
    assert "2 crash reports sent\n" in crashing.cli("flush")


def test_without_the_extra_reports_wait(crashing: Crashing) -> None:
    """An interpreter that does not find sentry-sdk, as when the extra is not installed."""
    crashing.cli("crash-reports", "on", "--yes")
    crashing.fail()
    code = "import sys; sys.modules['sentry_sdk'] = None; from make_metrics.cli import main; sys.exit(main())"
    environ = {**crashing.project.environment(), "PYTHONPATH": str(SOURCE)}

    def without(*words: str) -> subprocess.CompletedProcess[str]:
        return crashing.project.run([sys.executable, "-c", code, *words], env=environ)

    done = without("flush")
    waits = "make-metrics: 1 crash report waits: pip install 'make-metrics[sentry]' to send what waits\n"
    assert (done.returncode, done.stderr) == (1, waits)
    done = without("crash-reports", "preview")
    assert (done.returncode, done.stdout) == (1, "")
    assert "pip install 'make-metrics[sentry]'" in done.stderr
    assert "sentry-sdk: not there" in without("crash-reports", "status").stdout
    assert crashing.fates == [""]
    assert "1 crash report sent\n" in crashing.cli("flush")


def test_the_sdk_is_loaded_only_to_send(offline: Crashing) -> None:
    code = "import sys; from make_metrics.cli import main; [main(one.split()) for one in sys.argv[1:]]; "
    code += "print('sentry_sdk' in sys.modules)"
    environ = {**offline.project.environment(), "PYTHONPATH": str(SOURCE)}

    def loaded(*commands: str) -> bool:
        said = offline.project.run([sys.executable, "-c", code, *commands], env=environ).stdout
        return said.splitlines()[-1] == "True"

    offline.fail()
    assert not loaded("flush", "status", "doctor", "crash-reports on --yes", "crash-reports status", "flush")
    offline.fail()
    assert loaded("flush")


def test_only_a_yes_counts(offline: Crashing) -> None:
    environ = {**offline.project.environment(), "PYTHONPATH": str(SOURCE)}
    for answer, agreed in (("n", False), ("", False), ("yes please", False), ("\x04", False), ("YES", True)):
        terminal = pexpect.spawn(
            sys.executable, ["-m", "make_metrics", "crash-reports", "on"], cwd=str(offline.project.folder), env=environ,
            encoding="utf-8", timeout=30,
        )  # fmt: skip
        terminal.expect_exact("May they be sent? [y/N] ")
        terminal.send(answer) if answer == "\x04" else terminal.sendline(answer)
        said, status = ended(terminal)
        assert (status, "Thank you" in said) == (0, agreed), answer
        assert offline.status()["decision"] == ("yes" if agreed else "none")
    offline.cli("crash-reports", "off")
    assert offline.status()["decision"] == "no"


def test_without_a_terminal_or_a_dsn_nothing_is_asked(offline: Crashing) -> None:
    offline.cli("crash-reports", "on", status=1)
    assert offline.said.count("\n") == 1
    assert "--yes" in offline.said
    offline.settings(None)
    for action in ("on", "preview"):
        offline.cli("crash-reports", action, "--yes", status=1)
        assert "crash-reports-dsn" in offline.said
    assert offline.status()["sent to"] == "nobody"
    offline.cli("crash-reports", status=1)
    offline.cli("crash-reports", "maybe", status=1)


def test_the_question_is_a_question_of_its_own(offline: Crashing) -> None:
    offline.settings(offline.dsn, '[[sinks]]\ntype = "segment"\nwrite-key = "key"\nhost = "http://127.0.0.1:9"\n')
    offline.cli("opt-in", "--yes")
    assert offline.status()["decision"] == "none"
    offline.cli("crash-reports", "on", "--yes")
    found = json.loads(offline.cli("status", "--json"))
    assert (found["mode"], found["crash_reports"]["mode"]) == ("on", "on")
    offline.cli("crash-reports", "off")
    found = json.loads(offline.cli("status", "--json"))
    assert (found["mode"], found["crash_reports"]["mode"]) == ("on", "local")
    offline.cli("crash-reports", "on", "--yes")
    offline.cli("opt-out")
    found = json.loads(offline.cli("status", "--json"))
    assert (found["mode"], found["crash_reports"]["decision"]) == ("local", "no")


def test_nothing_of_before_the_yes_is_sent_and_nothing_after_a_no(crashing: Crashing, served: Bugsink) -> None:
    before = len(served.requests())
    crashing.fail()
    assert crashing.cli("flush") == "nothing sent\n"
    crashing.cli("crash-reports", "on", "--yes")
    assert crashing.cli("flush") == "nothing sent\n"
    crashing.fail()  # the same again, now under the yes
    crashing.cli("crash-reports", "off")
    assert crashing.cli("flush") == "nothing sent\n"
    crashing.cli("crash-reports", "on", "--yes")
    assert crashing.cli("flush") == "nothing sent\n"
    assert len(served.requests()) == before
    crashing.fail()
    assert "1 crash report sent" in crashing.cli("flush")


@pytest.mark.parametrize(
    "environ", [{"DO_NOT_TRACK": "1"}, {"MAKE_METRICS": "local"}, {"MAKE_METRICS": "off"}, {"MAKE_METRICS": "log"}],
    ids=str,
)  # fmt: skip
def test_the_environment_holds_reports_back(crashing: Crashing, served: Bugsink, environ: dict[str, str]) -> None:
    before = len(served.requests())
    crashing.cli("crash-reports", "on", "--yes")
    crashing.fail()
    said = crashing.cli("flush", environ=environ)
    assert ("POST " in said) is (environ == {"MAKE_METRICS": "log"})
    assert (len(served.requests()), crashing.fates) == (before, [""])
    crashing.paths.off_file.touch()
    crashing.cli("flush")
    assert len(served.requests()) == before
    crashing.paths.off_file.unlink()
    assert "1 crash report sent" in crashing.cli("flush")


def test_what_failed_where_nothing_may_be_sent_never_is(crashing: Crashing, served: Bugsink) -> None:
    before = len(served.requests())
    crashing.cli("crash-reports", "on", "--yes")
    crashing.fail({"DO_NOT_TRACK": "1"})
    assert crashing.cli("flush") == "nothing sent\n"
    assert len(served.requests()) == before
    assert crashing.status()["waiting"] == "0"


def test_a_changed_dsn_pauses_until_it_is_accepted(crashing: Crashing, served: Bugsink) -> None:
    before = len(served.requests())
    crashing.cli("crash-reports", "on", "--yes")
    crashing.fail()
    crashing.settings(re.sub("//[0-9a-f]+@", "//0123@", crashing.dsn))
    assert crashing.cli("flush") == "nothing sent\n"
    assert crashing.status()["mode"].startswith("local (what is collected, or where it goes, has changed")
    assert len(served.requests()) == before
    crashing.settings(crashing.dsn)
    assert "1 crash report sent" in crashing.cli("flush")


def test_a_damaged_decision_is_off(offline: Crashing) -> None:
    offline.cli("crash-reports", "on", "--yes")
    project = project_of(offline.project.folder)
    place = consent.file_of(offline.paths, project, CRASHES)
    place.write_bytes(place.read_bytes()[:-20])
    assert offline.status()["mode"] == "off (your recorded decision is damaged)"
    assert place.stat().st_mode & 0o777 == 0o600
    assert place != consent.file_of(offline.paths, project)


def test_the_preview_opens_nothing_and_needs_no_yes(offline: Crashing) -> None:
    said = offline.cli("crash-reports", "preview")
    assert "this is an example" in offline.said
    assert "nothing was decided" in offline.said
    url, header, item, payload = said.splitlines()
    assert url == f"POST {offline.dsn.replace('key@', '').removesuffix('/1')}/api/1/envelope/"
    assert json.loads(header) == {"event_id": "0" * 32}
    assert json.loads(item)["length"] == len(payload)
    assert crash_report.check(json.loads(payload)) == []
    offline.fail()
    said = offline.cli("crash-reports", "preview")
    assert "these are the failures of before" in offline.said
    assert json.loads(said.splitlines()[3])["exception"]["values"][0]["type"] == "TypeError"


@pytest.mark.parametrize(
    "dsn",
    ["http://key@example.org/1", "https://example.org/1", "https://key:secret@example.org/1", "", "file:///1",
     "https://key@example.org/x", "https://key@example.org/", "ftp://key@example.org/1", "https://key@example.org/1?x=1",
     "https://key@exa mple.org/1", "https://key@user@example.org/1"],
)  # fmt: skip
def test_a_bad_dsn_is_none(tmp_path: Path, dsn: str) -> None:
    (tmp_path / NAME).write_text(f'{TEXT}crash-reports-dsn = "{dsn}"\n')
    found = project_of(tmp_path)
    assert found.crash_dsn is None
    assert len(found.problems) == 1
    assert "crash-reports-dsn: must be" in found.problems[0]


@pytest.mark.parametrize(
    ("dsn", "host"),
    [("https://abc@o1.ingest.example.org/42", "https://o1.ingest.example.org"),
     ("https://abc@example.org:8443/sub/path/42", "https://example.org:8443/sub/path"),
     ("http://abc@localhost:8000/1", "http://localhost:8000"), ("http://abc@[::1]:8000/1", "http://[::1]:8000")],
)  # fmt: skip
def test_a_good_dsn_is_taken(tmp_path: Path, dsn: str, host: str) -> None:
    (tmp_path / NAME).write_text(f'{TEXT}crash-reports-dsn = "{dsn}"\n')
    found = project_of(tmp_path)
    assert (found.crash_dsn and found.crash_dsn.host, found.problems) == (host, ())
    (tmp_path / NAME).write_text(f'crash-reports-dsn = "{dsn}"\n')
    assert project_of(tmp_path).crash_dsn is None


def test_the_notice_names_each_field_and_the_receiver(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text(f'{TEXT}crash-reports-dsn = "https://abc@example.org/42"\n')
    settings = project_of(tmp_path).settings
    assert settings is not None
    said = crash_notice.text(settings)
    for _, fields in crash_report.LISTS:
        for field in fields:
            assert f"{field.name}: {field.purpose}" in said
            assert field.allows(field.example), field.name
            assert all((SOURCE / source).is_file() for source in field.sources)
    assert "https://abc@example.org/42" in said
    assert all(line.isprintable() for line in said.splitlines())


@pytest.mark.parametrize(
    ("source", "message", "expected"),
    [
        ('raise ValueError("fixed")', "fixed", "fixed"),
        ('raise ValueError("fixed") from None', "fixed", "fixed"),
        ('raise ValueError("fixed")', "other", ""),
        ('raise ValueError(f"fixed")', "fixed", ""),
        ('raise ValueError("fixed" + name)', "fixed", ""),
        ('raise ValueError("fixed", name)', "fixed", ""),
        ('int("fixed")', "fixed", ""),
        ('{}["fixed"]', "'fixed'", ""),
        ("raise ValueError(name)", "fixed", ""),
        ("raise", "fixed", ""),
    ],
)
def test_a_message_is_ours_if_our_line_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, message: str, expected: str
) -> None:
    (tmp_path / "make_metrics").mkdir()
    (tmp_path / "make_metrics/own.py").write_text(f"def fail(name):\n    {source}\n")
    monkeypatch.setattr("make_metrics.crashes.own_message._PACKAGE", tmp_path / "make_metrics")
    assert own_text(crash_report.Frame("", 2, "fail", "make_metrics/own.py"), message) == expected
    assert own_text(crash_report.Frame("", 1, "fail", "make_metrics/own.py"), message) == ""
    assert own_text(crash_report.Frame("", 2, "fail", "make_metrics/none.py"), message) == ""


def entry_with(**facts: Any) -> crash_report.Entry:
    frames = (crash_report.Frame("/x/make_metrics/cli.py", 3, "main", "make_metrics/cli.py"),)
    known: dict[str, Any] = {
        "path": Path(), "id": "0" * 32, "first_ns": 1, "last_ns": 1, "part": "shim", "version": "0.1.0",
        "python": "3.12.1", "system": "Linux", "machine": "x86_64", "make": "4.3", "directory": "/secret",
        "allowed": True, "failures": (crash_report.Failure("KeyError", "secret", frames),), "became": "",
    }  # fmt: skip
    return crash_report.Entry(**{**known, **facts})


@pytest.mark.parametrize(
    "facts",
    [{"system": "a secret"}, {"machine": "/secret"}, {"python": "secret"}, {"make": "4.3 secret"}, {"make": ""},
     {"python": "3.13.0rc1"}],
)  # fmt: skip
def test_what_has_another_shape_is_left_out(facts: dict[str, str]) -> None:
    event = crash_report.report(entry_with(**facts), own_text)
    assert event is not None
    assert crash_report.check(event) == []
    assert set(event["tags"]) == {"system", "machine", "python", "make"} - facts.keys()
    assert "secret" not in json.dumps(event)


@pytest.mark.parametrize("facts", [{"id": "secret"}, {"version": "secret"}, {"failures": ()}])
def test_without_what_it_must_have_there_is_no_report(facts: dict[str, Any]) -> None:
    assert crash_report.report(entry_with(**facts), own_text) is None


def test_frames_that_are_not_ours_are_left_out() -> None:
    frames = (
        crash_report.Frame("/home/secret/site.py", 1, "secret", ""),
        crash_report.Frame("/x/make_metrics/cli.py", 3, "main", "make_metrics/cli.py"),
        crash_report.Frame("/x/make_metrics/secret.txt", 3, "main", "make_metrics/secret.txt"),
        crash_report.Frame("/x/make_metrics/../secret.py", 3, "main", "make_metrics/../secret.py"),
        crash_report.Frame("/x/make_metrics/cli.py", 3, "a secret", "make_metrics/cli.py"),
        crash_report.Frame("/usr/lib/python3/json.py", 1, "secret", ""),
    )
    event = crash_report.report(entry_with(failures=(crash_report.Failure("KeyError", "x", frames),)), own_text)
    assert event is not None
    (value,) = event["exception"]["values"]
    frame = {"filename": "make_metrics/cli.py", "function": "main", "lineno": 3}
    assert value == {"type": "KeyError", "stacktrace": {"frames": [frame]}}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"server_name": "host"}, "server_name"),
        ({"event_id": "x"}, "event_id"),
        ({"tags": {"user": "me"}}, "tags.user"),
        ({"tags": None}, "tags is missing"),
        ({"exception": {"values": [{"type": "A", "vars": {}}]}}, "exception.vars"),
        ({"exception": {"values": [{"type": "A", "value": "two\nlines"}]}}, "exception.value"),
        ({"exception": {"values": [{"type": "A", "stacktrace": {"frames": [{"filename": "/etc/passwd"}]}}]}},
         "frame.filename"),
        ({"exception": {"values": [], "more": 1}}, "more"),
    ],
)  # fmt: skip
def test_the_last_check_sees_what_is_not_allowed(change: dict[str, Any], problem: str) -> None:
    event = crash_report.report(entry_with(), own_text)
    assert event is not None
    assert crash_report.check(event) == []
    assert problem in crash_report.check({**event, **change})


def test_names_of_files_and_functions_of_ours_are_allowed() -> None:
    """Whatever of our code fails, its frames can be told."""
    fields = {field.name: field for field in crash_report.FRAME}
    for path in sorted((SOURCE / "make_metrics").rglob("*.py")):
        assert fields["filename"].allows(str(path.relative_to(ROOT / "shim"))), path


def test_the_version_is_said_once() -> None:
    from importlib.metadata import version

    from make_metrics import __version__

    assert __version__ == version("make-metrics")
    done = subprocess.run(
        [sys.executable, "-m", "make_metrics", "--version"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"make-metrics {__version__}\n"


def test_an_old_entry_goes_with_the_sweep(offline: Crashing) -> None:
    offline.fail()
    (path,) = offline.paths.crashes.glob("*.json")
    old = path.stat().st_mtime_ns - crash_log.KEEP_NS - 10**12
    os.utime(path, ns=(old, old))
    offline.cli("report")
    assert log(offline.project) == []


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
