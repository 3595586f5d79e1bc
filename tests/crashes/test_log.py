"""The log of failures: real failures get into it, and the build does not change."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from make_metrics import cli
from make_metrics.commands import report
from make_metrics.crashes import log as crash_log
from make_metrics.files.paths import Paths
from make_metrics.hot import failure_log
from tests.support.broken_copy import RECORDER_FAILS, break_module, logged_failures, run_command, use_copy
from tests.support.crashing_project import Crashing
from tests.support.mutation import Mutation, constant_is, function_begins, gone, module_ends
from tests.support.project import SOURCE, Project, until

MAKEFILE = "all: simple\n\t@echo done; exit 0\nsimple:\n\techo simple\n\t-@exit 3\n"


def outcome(project: Project, *words: str) -> tuple[int, str, str]:
    done = project.make(*words)
    return done.returncode, done.stdout, done.stderr


def plain(project: Project) -> tuple[int, str, str]:
    project.write(MAKEFILE, line="")
    result = outcome(project)
    project.write(MAKEFILE)
    return result


@pytest.mark.parametrize(
    ("name", "mutation", "kind", "frame"),
    [
        (*RECORDER_FAILS, "KeyError", "make_metrics/hot/recorder.py"),
        ("hot/recorder.py", module_ends("clas Recorder:"), "SyntaxError", "make_metrics/hot/line.py"),
        ("hot/state_dir.py", module_ends("posix.fstat(987)"), "OSError", "make_metrics/hot/state_dir.py"),
        ("hot/append.py", function_begins("_open", "posix.fstat(987)"), "OSError",
         "make_metrics/hot/append.py"),
    ],
)  # fmt: skip
def test_a_failing_shim_is_logged_and_the_build_is_the_same(
    tmp_path: Path, home: Path, name: str, mutation: Mutation, kind: str, frame: str
) -> None:
    project = Project(tmp_path / "project", home, compiled=False)
    expected = plain(project)
    use_copy(project, break_module(tmp_path, name, mutation))
    assert outcome(project) == expected
    until(lambda: logged_failures(project))
    entry = next(entry for entry in logged_failures(project) if entry.part == "shim")
    failure = entry.failures[-1]
    assert failure.type == kind
    assert [one.package_path for one in failure.frames if one.package_path][-1] == frame
    assert (entry.directory, entry.outcome) == (str(project.folder), "")
    assert entry.make.split(".")[0].isdecimal()
    assert entry.allowed is Path("/proc/self/environ").exists()
    assert abs(entry.first_ns - time.time_ns()) < 600 * 10**9


@pytest.mark.parametrize(
    ("name", "mutation"),
    [
        ("hot/line.py", module_ends("import nothing_at_all")),
        ("hot/record_format.py", constant_is("VERSION", "int('x')")),
    ],
)
def test_a_shim_that_cannot_start_is_left_out_by_the_trial(
    tmp_path: Path, home: Path, name: str, mutation: Mutation
) -> None:
    """No line is run with it, so there is nothing to log: the build is as plain make's, and nothing is recorded."""
    project = Project(tmp_path / "project", home, compiled=False)
    expected = plain(project)
    use_copy(project, break_module(tmp_path, name, mutation))
    assert outcome(project) == expected
    assert project.recorded() == []


WALK_FAILS = "walk/walk.py", function_begins("walk", "None.nothing")
WALKS = [
    (*WALK_FAILS, "AttributeError"),
    ("processes/command_line.py", gone("_WITH_WORD"), "NameError"),
    ("project/git_head.py", module_ends("import os.pat"), "ModuleNotFoundError"),
]
COMMAND_FAILS = "commands/runs.py", gone("run")


@pytest.mark.parametrize(("name", "mutation", "kind"), WALKS)
def test_a_failing_walk_is_logged_and_its_lines_are_recorded(
    tmp_path: Path, home: Path, name: str, mutation: Mutation, kind: str
) -> None:
    project = Project(tmp_path / "project", home, compiled=False)  # the compiled fast path has a walk of its own
    expected = plain(project)
    use_copy(project, break_module(tmp_path, name, mutation))
    assert outcome(project, "-r") == expected
    until(lambda: logged_failures(project))
    entry = logged_failures(project)[0]
    assert (entry.part, entry.failures[-1].type) == ("walk", kind)
    assert {event.target for event in project.recorded()} == {"all", "simple"}


def test_a_failing_sweep_of_the_walk_is_logged(project: Project, tmp_path: Path) -> None:
    project.write("all:\n\t@until ls ../home/state/crashes/*.json >/dev/null 2>&1; do sleep 0.05; done\n")
    project.paths.records.mkdir(parents=True)
    for number in range(16):
        (project.paths.records / f"0a0b0c0d.1.{number}.rec").write_text("")
    use_copy(project, break_module(tmp_path, "sweep/sweep.py", function_begins("sweep", "{}[1]")))
    assert outcome(project) == (0, "", "")
    assert [entry.part for entry in logged_failures(project)] == ["sweep"]


def test_a_failing_command_is_logged(project: Project, tmp_path: Path) -> None:
    copy = break_module(tmp_path, *COMMAND_FAILS)
    done = run_command(project, copy, "runs")
    assert (done.returncode, "Traceback" in done.stderr) == (3, True)
    (entry,) = logged_failures(project)
    assert (entry.part, entry.failures[-1].type, entry.make) == ("command", "AttributeError", "")
    assert [frame.package_path for frame in entry.failures[-1].frames][-1] == "make_metrics/cli.py"
    assert entry.allowed


@pytest.mark.parametrize("environ", [{"MAKE_METRICS": "off"}, {"DO_NOT_TRACK": "1"}, {"MAKE_METRICS": "local"}])
def test_the_log_keeps_what_the_environment_allows(project: Project, tmp_path: Path, environ: dict[str, str]) -> None:
    copy = break_module(tmp_path, *COMMAND_FAILS)
    assert run_command(project, copy, "runs", **environ).returncode == 3
    assert [entry.allowed for entry in logged_failures(project)] == (
        [] if environ.get("MAKE_METRICS") == "off" else [False]
    )


def test_a_makefile_cannot_allow_what_the_developer_forbids(each: Project, compiled: bool, tmp_path: Path) -> None:
    if compiled:
        pytest.skip("the compiled fast path has a walk of its own, without the module that fails here")
    use_copy(each, break_module(tmp_path, *WALK_FAILS))
    each.write("export DO_NOT_TRACK := 0\nexport MAKE_METRICS := on\nall:\n\t@echo $$DO_NOT_TRACK\n")
    done = each.make(env=each.environment(DO_NOT_TRACK="1"))
    assert (done.returncode, done.stdout) == (0, "0\n")
    until(lambda: logged_failures(each))
    assert [entry.allowed for entry in logged_failures(each)] == [False]


def test_nothing_is_logged_when_recording_is_off(project: Project, tmp_path: Path) -> None:
    copy = break_module(tmp_path, *COMMAND_FAILS)
    project.paths.off_file.touch()
    assert run_command(project, copy, "runs").returncode == 3
    assert logged_failures(project) == []


def test_the_same_failure_is_one_entry(tmp_path: Path, home: Path) -> None:
    project = Project(tmp_path / "project", home, compiled=False)
    project.write(
        "".join(f"t{number}:\n\t@:\n" for number in range(12)) + "all: " + " ".join(f"t{n}" for n in range(12))
    )
    use_copy(project, break_module(tmp_path, *RECORDER_FAILS))
    assert outcome(project, "-j4", "all")[0] == 0
    (entry,) = logged_failures(project)
    first = entry.last_ns
    assert outcome(project, "t3") == (0, "", "")
    (again,) = logged_failures(project)
    assert (again.id, again.first_ns) == (entry.id, entry.first_ns)
    assert again.last_ns > first


def fail(paths: Paths, message: str = "message", part: str = "command") -> None:
    try:
        raise RuntimeError(message)
    except RuntimeError as error:
        crash_log.note(error, part=part, paths=paths, environ={})


def test_the_log_is_bounded_and_only_its_owner_can_read_it(home: Path) -> None:
    paths = Paths.from_environment()
    for number in range(failure_log.LIMIT_FILES + 8):
        fail(paths, "x" * 100_000, part=f"part {number}")
    entries = crash_log.entries(paths)
    assert [entry.part for entry in entries] == [
        f"part {number}" for number in reversed(range(8, failure_log.LIMIT_FILES + 8))
    ]
    assert {path.stat().st_mode & 0o777 for path in paths.crashes.iterdir()} == {0o600}
    assert paths.crashes.stat().st_mode & 0o777 == 0o700
    assert max(path.stat().st_size for path in paths.crashes.iterdir()) < 64 * 1024
    assert os.fsencode(paths.crashes) == failure_log.log_directory(os.fsencode(paths.state))


def test_a_mark_is_removed_with_its_entry(home: Path) -> None:
    paths = Paths.from_environment()
    fail(paths)
    crash_log.mark(crash_log.entries(paths)[0], "sent")
    assert crash_log.entries(paths)[0].outcome == "sent"
    for number in range(failure_log.LIMIT_FILES):
        fail(paths, part=f"part {number}")
    assert not list(paths.crashes.glob("*.sent"))
    crash_log.prune(paths, now_ns=time.time_ns() + crash_log.KEEP_NS - 10**12)
    assert len(crash_log.entries(paths)) == failure_log.LIMIT_FILES
    crash_log.prune(paths, now_ns=time.time_ns() + crash_log.KEEP_NS + 10**12)
    assert list(paths.crashes.iterdir()) == []


@pytest.mark.parametrize("what", ["state", "crashes", "entry"])
def test_a_planted_link_is_not_followed(home: Path, tmp_path: Path, what: str) -> None:
    paths = Paths.from_environment()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if what == "entry":
        fail(paths)
        (path,) = paths.crashes.iterdir()
        path.rename(elsewhere / "kept")
        path.symlink_to(elsewhere / "kept")
        before = (elsewhere / "kept").stat()
        fail(paths)
        assert (elsewhere / "kept").stat() == before
        assert crash_log.entries(paths) == []
    else:
        place = getattr(paths, what)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(elsewhere)
        fail(paths)
        assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"), PermissionError(13, "no"), OSError("root for somebody else"),
        ImportError("no", name="psutil"), ImportError("no", name="fcntl"), MemoryError(), KeyboardInterrupt(),
        BlockingIOError(11, "locked"),
    ],
    ids=repr,
)  # fmt: skip
def test_an_error_of_the_machine_is_not_logged(home: Path, error: BaseException) -> None:
    assert failure_log.is_expected(error)
    crash_log.note(error, part="command")
    assert crash_log.entries(Paths.from_environment()) == []


@pytest.mark.parametrize(
    "error",
    [OSError(9, "bad"), ChildProcessError(10, "no"), KeyError("x"), ImportError("no", name="make_metrics.hot.line")],
)
def test_an_error_that_only_wrong_code_gets_is_logged(error: BaseException) -> None:
    assert not failure_log.is_expected(error)


@pytest.mark.parametrize(
    "damage",
    [b"", b"{}", b"[]", b"\xff" * 10, b"[" * 60_000, b'{"format": 2}', b"null",
     b'{"format": 1, "time_ns": 1, "id": 3}'],
)  # fmt: skip
def test_a_damaged_entry_is_left_out(home: Path, damage: bytes) -> None:
    paths = Paths.from_environment()
    fail(paths)
    (paths.crashes / "0123456789abcdef.json").write_bytes(damage)
    (paths.crashes / "strange").mkdir()
    assert len(crash_log.entries(paths)) == 1


def test_any_text_is_kept_unchanged(home: Path) -> None:
    paths = Paths.from_environment()
    text = 'a\n"\\\t\x00\x7f é \U0001f600 \udcff'
    fail(paths, text)
    (entry,) = crash_log.entries(paths)
    assert entry.failures[-1].text == text
    (path,) = paths.crashes.iterdir()
    assert path.read_bytes().isascii()


def test_causes_are_kept(home: Path) -> None:
    paths = Paths.from_environment()
    try:
        try:
            raise KeyError("first")
        except KeyError as error:
            raise RuntimeError("second") from error
    except RuntimeError as error:
        crash_log.note(error, part="command", paths=paths)
    (entry,) = crash_log.entries(paths)
    assert [failure.type for failure in entry.failures] == ["KeyError", "RuntimeError"]


def test_a_writer_that_fails_changes_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail_too(*_: object, **__: object) -> None:
        raise RuntimeError("the writer")

    monkeypatch.setattr(failure_log, "write_failure", fail_too)
    monkeypatch.setattr(report, "costs", None)
    assert cli.main(["report"]) == 3
    assert "TypeError" in capsys.readouterr().err


@pytest.mark.parametrize(
    "mutation",
    [module_ends("def"), module_ends("unknown_name"), function_begins("write_failure", "unknown_name")],
    ids=["no Python", "fails when it is loaded", "fails when it writes"],
)
def test_a_failing_shim_with_a_failing_writer_changes_nothing(tmp_path: Path, home: Path, mutation: Mutation) -> None:
    project = Project(tmp_path / "project", home, compiled=False)
    expected = plain(project)
    break_module(tmp_path, *RECORDER_FAILS)
    copy = break_module(tmp_path, "hot/failure_log.py", mutation)
    use_copy(project, copy)
    assert outcome(project) == expected
    assert logged_failures(project) == []


def test_doctor_shows_the_last_failures(project: Project, tmp_path: Path) -> None:
    copy = break_module(tmp_path, *COMMAND_FAILS)
    run_command(project, copy, "runs")
    for number in range(4):
        fail(project.paths, "words\nof\x1b[31m ours", part=f"part {number}")
    output = project.cli("doctor").stdout
    lines = [line for line in output.splitlines() if " failure " in line]
    assert len(lines) == 4
    assert "part 3, in " in lines[0]
    assert "RuntimeError: words\\nof\\x1b[31m ours; " in lines[0]
    assert str(project.paths.crashes) in lines[0]
    assert "and 2 more in" in lines[3]
    assert project.cli("forget", "--yes").returncode == 0
    assert logged_failures(project) == []
    assert " failure " not in project.cli("doctor").stdout


def test_the_log_is_a_file_that_others_can_read(home: Path) -> None:
    paths = Paths.from_environment()
    fail(paths)
    (path,) = paths.crashes.iterdir()
    assert stat.S_ISREG(path.lstat().st_mode)
    assert json.loads(path.read_bytes())["errors"][0]["text"] == "message"


def test_only_a_line_that_failed_loads_the_writer() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(SOURCE)!r})\n"
        "import make_metrics.hot.line, make_metrics.hot.recorder, make_metrics.walk.walk\n"
        "print('make_metrics.hot.failure_log' in sys.modules); before = set(sys.modules)\n"
        "import make_metrics.hot.failure_log\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["False", "make_metrics.hot.failure_log"]


def test_the_sweep_removes_an_old_entry(offline: Crashing) -> None:
    offline.fail()
    (path,) = offline.paths.crashes.glob("*.json")
    old = path.stat().st_mtime_ns - crash_log.KEEP_NS - 10**12
    os.utime(path, ns=(old, old))
    offline.cli("report")
    assert logged_failures(offline.project) == []
