"""Reports wait until they may and can be sent, are sent once, and a failing reporter changes nothing."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from make_metrics.crashes import report as crash_report
from tests.support.broken_copy import break_module, logged_failures, run_command
from tests.support.bugsink import Bugsink
from tests.support.crashing_project import Crashing
from tests.support.mutation import function_begins
from tests.support.project import SOURCE

pytestmark = pytest.mark.timeout(400)  # the first test may have to install bugsink


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
    assert "sentry-sdk: not installed" in without("crash-reports", "status").stdout
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
    assert "these are earlier failures" in offline.said
    assert json.loads(said.splitlines()[3])["exception"]["values"][0]["type"] == "TypeError"
