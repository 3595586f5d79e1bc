"""Reports wait until they may and can be sent, and are sent once; a failing reporter changes nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from make_metrics.crashes import delivery
from make_metrics.crashes import report as crash_report
from tests.support.broken_copy import break_module, logged_failures, run_command
from tests.support.bugsink import Bugsink
from tests.support.crashing_project import Crashing
from tests.support.mutation import function_begins
from tests.support.project import SOURCE, answering
from tests.support.segment_receiver import Answer, receiving
from tests.support.store import ask

pytestmark = pytest.mark.timeout(400)  # the first test may have to install bugsink


def test_a_report_that_waited_is_sent_once(crashing: Crashing, served: Bugsink) -> None:
    crashing.cli("crash-reports", "on", "--yes")
    crashing.fail()
    before = len(served.requests())
    for _ in range(2):
        crashing.cli("flush", status=1, environ={"REQUESTS_CA_BUNDLE": "/nowhere"})
        assert (
            "there is no file of certificates where REQUESTS_CA_BUNDLE says: '/nowhere': crash reports wait"
            in crashing.errors
        )
    assert (crashing.outcomes, crashing.status()["waiting"]) == ([""], "1")
    previewed = crashing.cli("crash-reports", "preview")
    assert "1 crash report sent\n" in crashing.cli("flush")
    assert crashing.status()["waiting"] == "0"
    crashing.fail()
    assert "crash report" not in crashing.cli("flush")
    (request,) = served.requests()[before:]
    path = previewed.splitlines()[0].removeprefix("POST ")
    assert path.endswith(request["path"])
    assert previewed == f"POST {path}\n{request['body']}"
    assert request["body"] in crashing.cli("sent")


def test_a_report_that_is_sent_twice_is_recognised(crashing: Crashing, served: Bugsink) -> None:
    """As when the sender dies between the receiver's answer and its own note of it."""
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
    assert crashing.outcomes == ["sent"]


@pytest.mark.parametrize(
    ("module", "function"), [("crashes/delivery.py", "_deliver"), ("crashes/sentry.py", "SentrySink.prepare")]
)
def test_a_failing_reporter_changes_nothing(crashing: Crashing, module: str, function: str) -> None:
    crashing.cli("crash-reports", "on", "--yes")
    crashing.fail()
    copy = break_module(crashing.folder, module, function_begins(function, "{}[1]"))
    done = run_command(crashing.project, copy, "flush")
    assert (done.returncode, done.stdout) == (1, "nothing sent\n")
    assert done.stderr == "make-metrics: crash reports could not be sent: see make-metrics doctor\n"
    assert sorted(entry.part for entry in logged_failures(crashing.project)) == ["command", "crash reports"]
    assert "2 crash reports sent\n" in crashing.cli("flush")


def test_without_the_extra_reports_wait(crashing: Crashing) -> None:
    """An interpreter without sentry-sdk, as when the extra is not installed."""
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
    assert "sentry-sdk: not installed" in without("crash-reports", "status").stdout
    assert crashing.outcomes == [""]
    assert "1 crash report sent\n" in crashing.cli("flush")


def test_the_sdk_is_loaded_only_to_send(offline: Crashing) -> None:
    code = "import sys; from make_metrics.cli import main; [main(words.split()) for words in sys.argv[1:]]; "
    code += "print('sentry_sdk' in sys.modules)"
    environ = {**offline.project.environment(), "PYTHONPATH": str(SOURCE), **answering(["--yes"])}

    def loaded(*commands: str) -> bool:
        output = offline.project.run([sys.executable, "-c", code, *commands], env=environ).stdout
        return output.splitlines()[-1] == "True"

    offline.fail()
    assert not loaded("flush", "status", "doctor", "crash-reports on --yes", "crash-reports status", "flush")
    offline.fail()
    assert loaded("flush")


def test_failures_before_a_yes_or_after_a_no_are_not_sent(crashing: Crashing, served: Bugsink) -> None:
    before = len(served.requests())
    crashing.fail()
    assert crashing.cli("flush") == "nothing sent\n"
    crashing.cli("crash-reports", "on", "--yes")
    assert crashing.cli("flush") == "nothing sent\n"
    crashing.fail()  # the same failure again, after the yes
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
    output = crashing.cli("flush", environ=environ)
    assert ("POST " in output) is (environ == {"MAKE_METRICS": "log"})
    assert (len(served.requests()), crashing.outcomes) == (before, [""])
    crashing.paths.off_file.touch()
    crashing.cli("flush")
    assert len(served.requests()) == before
    crashing.paths.off_file.unlink()
    assert "1 crash report sent" in crashing.cli("flush")


def test_a_failure_where_the_environment_forbids_sending_is_never_sent(crashing: Crashing, served: Bugsink) -> None:
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


def test_the_preview_connects_to_nothing_and_needs_no_yes(offline: Crashing) -> None:
    output = offline.cli("crash-reports", "preview")
    assert "this is an example" in offline.errors
    assert "nothing was decided" in offline.errors
    url, header, item, payload = output.splitlines()
    assert url == f"POST {offline.dsn.replace('key@', '').removesuffix('/1')}/api/1/envelope/"
    assert json.loads(header) == {"event_id": "0" * 32}
    assert json.loads(item)["length"] == len(payload)
    assert crash_report.check(json.loads(payload)) == []
    offline.fail()
    output = offline.cli("crash-reports", "preview")
    assert "these are earlier failures" in offline.errors
    assert json.loads(output.splitlines()[3])["exception"]["values"][0]["type"] == "TypeError"


def test_a_silent_receiver_is_left_alone_by_senders_and_asked_once_by_a_flush(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with receiving(made_up=True) as silent:
        silent.answers(*[Answer(deed="hang")] * 9)
        crashing = Crashing(tmp_path, f"{silent.host.replace('//', '//key@')}/1", monkeypatch, capsys)
        crashing.paths.user_settings.write_text("timeout = 1\n")
        for name in ("one", "two"):  # two projects with the same receiver
            crashing.project.folder = tmp_path / name
            crashing.project.folder.mkdir()
            monkeypatch.chdir(crashing.project.folder)
            crashing.settings(crashing.dsn)
            crashing.cli("crash-reports", "on", "--yes")
            crashing.fail()
        environ: dict[str, str] = {}

        def problems(*, patient: bool) -> list[str]:
            result = delivery.deliver(crashing.paths, environ, time.monotonic() + 20, patient=patient)
            assert (result.accepted, result.refused) == (0, 0)
            return result.problems

        first = problems(patient=True)
        assert ["no answer within" in line for line in first] == [True, False]
        assert len(silent.requests) == 1
        assert all("not tried again for" in line for line in problems(patient=True))
        assert len(silent.requests) == 1
        assert "no answer within" in problems(patient=False)[0]
        assert len(silent.requests) == 2
        ask(crashing.paths, lambda connection: connection.execute("UPDATE resting SET not_before_ns = 0"))
        problems(patient=True)
        assert len(silent.requests) == 3
