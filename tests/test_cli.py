"""The command line: usage, help, exit statuses, and output that nobody can read or that cannot be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from make_metrics import cli
from make_metrics.commands import report
from make_metrics.files.paths import Paths
from tests.support.records import add, ended_run, line

COMMAND = [sys.executable, "-c", "import sys; from make_metrics.cli import main; sys.exit(main())"]


@pytest.fixture
def paths(home: Path) -> Paths:
    return Paths.from_environment()


@pytest.fixture
def recorded(paths: Paths) -> None:
    """A run of make whose record waits to be combined."""
    run = ended_run()
    add(paths, run, line("a", make=run))


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["report", "--colour"], ["off", "x"], ["events", "--json"]])
def test_bad_usage_is_one_line_and_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert "--help" in captured.err


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        cli.main(["--help"])
    assert exit_.value.code == 0
    text = capsys.readouterr().out
    verbs = ["setup", "include", "report", "events", "runs", "off", "on-this-machine"]
    verbs += ["opt-in", "opt-out", "status", "preview", "sent", "flush", "forget", "uninstall"]
    for verb in verbs:
        assert f"\n    {verb}" in text
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("make-metrics ")


def test_the_version_is_that_of_the_installed_package() -> None:
    from importlib.metadata import version

    from make_metrics import __version__

    assert __version__ == version("make-metrics")
    done = subprocess.run(
        [sys.executable, "-m", "make_metrics", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"make-metrics {__version__}\n"


def test_a_relative_home_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MAKE_METRICS_HOME", "here")
    assert cli.main(["report"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_bug_is_reported_with_a_traceback_and_status_3(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(report, "costs", None)
    assert cli.main(["report"]) == 3
    captured = capsys.readouterr()
    for word in ("bug", "Python 3.", "Traceback", "TypeError"):
        assert word in captured.err


def test_ctrl_c_has_status_130(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "costs", interrupt)
    assert cli.main(["report"]) == 130
    assert capsys.readouterr().err == ""


def test_a_closed_pipe_has_status_141_and_no_message(paths: Paths) -> None:
    run = ended_run()
    add(paths, run, *(line(f"{number}-{'x' * 400}", make=run, start=number) for number in range(400)))
    for words in (["events"], ["report", "--all"]):
        with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            assert len(process.stdout.read(100)) == 100
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_one_line(recorded: None) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*COMMAND, "events"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "make-metrics: standard output: No space left on device\n"


def test_closed_output_is_no_bug(recorded: None) -> None:
    done = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *COMMAND, "report"], stderr=subprocess.PIPE, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_an_ascii_terminal_shows_other_characters_escaped(paths: Paths) -> None:
    run = ended_run()
    add(paths, run, line("äö", make=run))
    done = subprocess.run(
        [*COMMAND, "report", "--all"], capture_output=True, check=False, env={**os.environ, "PYTHONIOENCODING": "ascii"}
    )
    assert done.returncode == 0
    assert rb"\xe4\xf6" in done.stdout


def test_a_project_that_makes_warnings_errors_means_its_own_programs(recorded: None) -> None:
    """Python 3.12.0 to 3.12.3 warns of each question to the store (gh-117995), and any later one may of something."""
    script = """
import sys, warnings
from make_metrics import cli
from make_metrics.commands import report
run = report.run
def warns(given):
    warnings.warn("deprecated", DeprecationWarning)
    return run(given)
report.run = warns
sys.exit(cli.main(["report", "--all"]))
"""
    env = {**os.environ, "PYTHONWARNINGS": "error"}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\na " in done.stdout


def test_a_command_loads_only_its_own_modules(home: Path) -> None:
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


def test_help_of_a_command_and_the_short_version(capsys: pytest.CaptureFixture[str]) -> None:
    def text(*words: str) -> str:
        with pytest.raises(SystemExit) as left:
            cli.main(words)
        assert left.value.code == 0
        return capsys.readouterr().out

    assert text("help", "report") == text("report", "--help")
    assert text("help") == text("--help")
    assert cli.main(["help", "reprot"]) == 2
    assert "did you mean report?" in capsys.readouterr().err
    assert cli.main(["-V"]) == 0
    assert capsys.readouterr().out.startswith("make-metrics ")


# What takes longer to load than what most commands do.
SLOW = {
    *("asyncio", "filelock", "http.client", "importlib.metadata", "logging", "platformdirs", "psutil", "requests"),
    *("rich", "sentry_sdk", "ssl", "tomllib"),
}
OWN = {
    *("make_metrics.consent.notice", "make_metrics.metrics.catalogue", "make_metrics.metrics.child"),
    *("make_metrics.project.settings_file", "make_metrics.store.earlier", "make_metrics.store.salvage"),
}
# argparse of Python 3.14 loads dataclasses for its colours.
HELP = SLOW | OWN | {"typing", "shutil", "sqlite3", "json", *(["dataclasses"] if sys.version_info < (3, 14) else [])}
READING = SLOW | OWN | {"make_metrics.deliver.outgoing", "make_metrics.project.target_names"}
LOADED = """
import sys
from make_metrics import cli
try:
    status = cli.main(sys.argv[1:])
except SystemExit as error:
    status = error.code
print(*sys.modules, file=sys.stderr)
sys.exit(status)
"""


@pytest.mark.parametrize(
    ("words", "unneeded"),
    [
        (["--help"], HELP),
        (["report", "--help"], HELP),
        (["include"], SLOW | OWN | {"sqlite3"}),
        (["status"], READING - {"make_metrics.consent.notice"}),
        (["report"], READING),
        (["runs"], READING),
        (["last", "--all"], READING),
        (["events"], READING),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_loads_no_library_that_it_does_not_need(
    words: list[str], unneeded: set[str], recorded: None, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *words], capture_output=True, cwd=tmp_path, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(unneeded & set(done.stderr.split())) == []


def test_the_list_of_commands_loads_hardly_any_module_of_ours() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED, "--help"], capture_output=True, text=True, check=True)
    ours = {name for name in done.stderr.split() if name.startswith("make_metrics.")}
    assert ours <= {
        *("make_metrics.cli", "make_metrics.errors", "make_metrics.commands"),
        *(f"make_metrics.commands.{name}" for name in ("option", "parser", "prose", "warn")),
    }


def test_what_a_command_does_not_need_is_left_out_of_its_parser_alone(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--help"], ["-h"], ["report", "--help"], ["what-if", "--help"]):
        texts = []
        for parser in (cli.parser(words), cli.parser()):
            with pytest.raises(SystemExit):
                parser.parse_args(words)
            texts.append(capsys.readouterr().out)
        assert texts[0] == texts[1]
