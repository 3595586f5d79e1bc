from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pexpect
import pytest

from make_metrics import cli
from make_metrics.combine.event import envelope
from make_metrics.combine.record import Make
from make_metrics.commands import report
from make_metrics.errors import UserError
from make_metrics.files.paths import Paths, private_directory
from make_metrics.report.since import since_ns
from tests.support.records import MS, WALL_NS, add, ended_run, line

COMMAND = [sys.executable, "-c", "import sys; from make_metrics.cli import main; sys.exit(main())"]
NOW_NS = 2_000_000_000_000_000_000


@pytest.fixture
def paths(home: Path) -> Paths:
    return Paths.from_environment()


@pytest.fixture
def run(paths: Paths) -> str:
    """A run whose make has ended, with a nested one."""
    run, nested = ended_run(), ended_run()
    add(
        paths,
        run,
        Make(key=run, goals=("all",), directory="/p", version="4.3", wall_ns=WALL_NS),
        Make(key=nested, goals=("all",), directory="/p/lib", level=1, parent=run, parent_target="a"),
        line("a", make=run, end=2_000),
        line("b", make=run, start=2_001, end=2_012, status=3),
        line("\x1b[31mred\n", make=nested, level=1, start=10, end=20),
    )
    return run


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)


def test_the_report_is_plain_where_nobody_looks(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "target", "goal", "runs", "failed", "total", "median", "p95", "last", "when", "level", "directory",
    ]  # fmt: skip
    assert lines[1].split()[:8] == ["all", "goal", "1", "1", "2.01s", "2.01s", "2.01s", "2.01s"]
    assert lines[2].split()[:7] == ["a", "1", "0", "2.00s", "2.00s", "2.00s", "2.00s"]
    assert any(text.startswith("\\x1b[31mred\\n") and text.split()[-2:] == ["1", "lib"] for text in lines)
    assert lines[-1] == report.NOTE
    assert all(text.isprintable() and text.isascii() and text == text.rstrip() for text in lines)


def test_nothing_is_cut_off_where_nobody_looks(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    run, name = ended_run(), "x" * 400
    add(paths, run, line(name, make=run))
    assert cli.main(["report"]) == 0
    assert name in capsys.readouterr().out


@pytest.mark.parametrize(("columns", "lines"), [(200, "│"), (80, "─")])
def test_the_report_is_a_table_on_a_terminal(run: str, columns: int, lines: str) -> None:
    environ = {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
    for name in ("NO_COLOR", "COLUMNS", "LINES"):  # the last two go before what the terminal says
        environ.pop(name, None)
    # pexpect's own `dimensions` come when the program has started, which may be too late.
    words = ["-c", f'stty rows 50 columns {columns}; exec "$0" "$@"', *COMMAND, "report"]
    with pexpect.spawn("sh", words, env=environ, timeout=60, encoding="utf-8") as terminal:
        shown = terminal.read()
    assert lines in shown
    assert "\x1b[1m" in shown
    assert "\x1b[31m" not in shown
    for word in ("target", "goal", "median", "2.01s", "lib", "\\x1b[31mr"):
        assert word in shown


def test_the_report_as_json(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report", "--json"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)["targets"]
    assert captured.err == ""
    assert [(row["target"], row["goal"], row["failures"]) for row in found[:3]] == [
        ("all", True, 1),
        ("a", False, 0),
        ("b", False, 1),
    ]


def test_events_are_envelopes_one_a_line(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["events"]) == 0
    found = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert len(found) == 5
    first = next(event for event in found if event["properties"]["command"] == "b")
    assert first["event"] == "make.target.run"
    assert first["properties"]["exit_status"] == 3
    assert first["properties"]["duration_ms"] == 11
    assert first["properties"]["start_time"] == "2096-10-02T07:06:42.001000+00:00"
    assert set(first) == {"event", "anonymousId", "messageId", "timestamp", "sentAt", "properties"}
    assert cli.main(["events"]) == 0
    assert [json.loads(text) for text in capsys.readouterr().out.splitlines()] == found


def test_runs(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["runs"]) == 0
    heading, row = capsys.readouterr().out.splitlines()
    assert heading.split() == ["started", "goals", "status", "duration", "targets", "directory"]
    assert row.split()[2:] == ["all", "2", "2.01s", "5", "/p"]
    assert cli.main(["runs", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert (found["id"], found["goals"], found["exit_status"]) == (run, ["all"], 2)
    assert found["start_time"] == "2096-10-02T07:06:40.000000+00:00"


def test_since_leaves_out_what_is_older(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["events", "--since", "2096-10-02T07:06:42+00:00"]) == 0
    assert capsys.readouterr().out.count("\n") == 1
    assert cli.main(["report", "--since", "2100-01-01"]) == 0
    assert capsys.readouterr().out.count("\n") == 1
    assert cli.main(["runs", "--since", "9999-12-31", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_without_events_the_report_says_what_to_do(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["report"]) == 0
    assert "make-metrics setup" in capsys.readouterr().out
    assert cli.main(["runs"]) == 0
    assert "make-metrics setup" in capsys.readouterr().out
    assert cli.main(["events"]) == 0
    assert capsys.readouterr().out == ""
    assert cli.main(["report", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["targets"] == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30m", 1_800), ("12h", 43_200), ("7d", 604_800), ("2w", 1_209_600), ("0d", 0), ("999999w", 2_000_000_000)],
)
def test_spans(text: str, seconds: int) -> None:
    assert since_ns(text, now_ns=NOW_NS) == NOW_NS - seconds * 1_000 * MS


def test_dates_are_local_unless_they_say_otherwise() -> None:
    local = int(datetime(2026, 1, 31).timestamp())
    assert since_ns("2026-01-31", now_ns=NOW_NS) == local * 1_000_000_000
    given = int(datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp())
    assert since_ns("2026-01-31T12:00:00Z", now_ns=NOW_NS) == given * 1_000_000_000


@pytest.mark.parametrize("text", ["", "7", "d", "-1d", "7 d", "7y", "yesterday", "2026-02-30", "1" * 30 + "d"])
def test_a_bad_since_is_one_line(text: str, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UserError):
        since_ns(text, now_ns=NOW_NS)
    assert cli.main(["report", f"--since={text}"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("make-metrics: --since")
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["report", "--colour"], ["off", "x"], ["events", "--json"]])
def test_bad_usage_is_one_line_and_status_1(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "--help" in captured.err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    verbs = ["setup", "include", "report", "events", "runs", "off", "on-this-machine"]
    verbs += ["opt-in", "opt-out", "status", "preview", "sent", "flush", "forget"]
    for verb in verbs:
        assert f"\n    {verb}" in text
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("make-metrics ")


def test_off_and_on(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert cli.main(["off"]) == 0
        assert paths.off_file.exists()
    assert "on-this-machine" in capsys.readouterr().out
    for _ in range(2):
        assert cli.main(["on-this-machine"]) == 0
        assert not paths.off_file.exists()
    assert "recording on this machine, nothing is sent\n" in capsys.readouterr().out


def test_bad_input_is_one_line_each_and_the_report_is_made(
    run: str, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    paths.store.write_bytes(os.urandom(5_000))
    (paths.records / "x.rec").write_bytes(os.urandom(500).replace(b"\n", b""))
    assert cli.main(["report", "--json"]) == 0
    captured = capsys.readouterr()
    assert len(json.loads(captured.out)["targets"]) == 5
    assert captured.err.count("\n") == 2
    assert all(text.startswith("make-metrics: ") for text in captured.err.splitlines())
    assert len(list(paths.set_aside.iterdir())) == 2
    assert cli.main(["report"]) == 0
    assert capsys.readouterr().err == ""


def test_a_relative_home_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MAKE_METRICS_HOME", "here")
    assert cli.main(["report"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_bug_is_told_from_an_error(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "rows", None)
    assert cli.main(["report"]) == 3
    captured = capsys.readouterr()
    for word in ("bug", "Python 3.", "Traceback", "TypeError"):
        assert word in captured.err


def test_ctrl_c_is_130(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "rows", interrupted)
    assert cli.main(["report"]) == 130
    assert capsys.readouterr().err == ""


def test_a_closed_pipe_is_quiet(paths: Paths) -> None:
    run = ended_run()
    add(paths, run, *(line(f"{number}-{'x' * 400}", make=run, start=number) for number in range(400)))
    for command in ("events", "report"):
        with subprocess.Popen([*COMMAND, command], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as shown:
            assert shown.stdout is not None
            assert shown.stderr is not None
            assert len(shown.stdout.read(100)) == 100
            shown.stdout.close()
            assert shown.stderr.read() == b""
        assert shown.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_one_line(run: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*COMMAND, "events"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "make-metrics: standard output: No space left on device\n"


def test_closed_output_is_no_bug(run: str) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *COMMAND, "report"], stderr=subprocess.PIPE, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_ascii_terminal_gets_every_name(paths: Paths) -> None:
    run = ended_run()
    add(paths, run, line("äö", make=run))
    done = subprocess.run(
        [*COMMAND, "report"], capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert done.returncode == 0
    assert rb"\xe4\xf6" in done.stdout


def test_only_what_is_used_is_loaded(home: Path) -> None:
    script = "import sys; from make_metrics.cli import main; main(['off']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "make_metrics.commands.off" in loaded
    assert not loaded & {
        "rich",
        "sqlite3",
        "psutil",
        "filelock",
        "make_metrics.sweep.sweep",
        "make_metrics.commands.report",
    }


def test_a_printed_event_is_what_would_be_sent(run: str, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    from make_metrics.commands.reading import combined_store

    private_directory(paths.state)
    with combined_store() as store:
        expected = [envelope(placed.event) for placed in store.events()]
    cli.main(["events"])
    assert [json.loads(text) for text in capsys.readouterr().out.splitlines()] == expected
