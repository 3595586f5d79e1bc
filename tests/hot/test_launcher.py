"""What the launcher does around a line: what it leaves to Python, the record and its lock, signals, descriptors."""

from __future__ import annotations

import fcntl
import os
import resource
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from ci.build_launcher import HARDENING, as_macos, build
from make_metrics.combine import record
from tests.support import launcher_variant
from tests.support.project import started, until
from tests.support.shim_calls import PYTHON_SHIM, RUN, Make, compiled, shim_words

Launchers = dict[str, Path]
# The last is the code of macOS around a line (posix.c), built for Linux.
EACH_SYSTEM = pytest.mark.parametrize("shim", ["python", "compiled", "sanitized", "as-macos"], indirect=True)


# ---- left to Python ----


def _fake_python(folder: Path) -> str:
    path = folder / "python"
    path.write_text(
        "#!/bin/sh\nif [ $#-$4 = 4-mm1 ]; then printf 'mm1 runs'; exit; fi\nprintf '%s|' \"$@\"\n"
        "grep -E '^Sig(Blk|Ign|Cgt)' /proc/self/status\nls /proc/self/fd\n"
    )
    path.chmod(0o755)
    return str(path)


def _marker(text: bytes) -> Callable[[Make], None]:
    return lambda make: void(make.marker.write_bytes(text))


def void(_: object) -> None:
    """Make a statement of an expression, for a lambda."""


def _in_place_of_records(make: Make) -> None:
    make.records.rmdir()
    make.records.touch()


RARE: dict[str, tuple[Callable[[Make], None], dict[str, str], dict[str, Any]]] = {
    "root below another user's make": (void, {"SUDO_UID": "1234", "MAKELEVEL": "2"}, {"make": "1:4.3:make:f"}),
    "somebody's file in the place of ours": (_in_place_of_records, {}, {}),
    "half a marker": (_marker(b"0123abcd.1.2"), {}, {}),
    "a marker that leads away": (_marker(b"../../x 0123abcd.1.2"), {}, {}),
    "a long marker": (_marker(b"1" * 5000 + b" 1.2.3"), {}, {}),
    "a relative home": (void, {"MAKE_METRICS_HOME": "relative"}, {}),
    "no home at all": (void, {}, {"state": ""}),
    "a level that is no number": (void, {}, {"make": "x:4.3:make:f"}),
    "a version that is none": (void, {}, {"make": "0:4:make:f"}),
    "a bad encoding": (void, {}, {"target": "a%2"}),
}


@pytest.mark.parametrize("rare", RARE)
def test_rare_cases_are_left_to_python_with_nothing_changed(
    make: Make, launcher: Path, tmp_path: Path, rare: str
) -> None:
    if rare.startswith("root") and os.geteuid() != 0:
        pytest.skip("not root")
    if "marker" in rare and launcher_variant.asks_nothing():
        pytest.skip(launcher_variant.REASON)
    prepare, variables, more = RARE[rare]
    prepare(make)
    words = shim_words("echo; exit 3", **{"state": make.state, **more})
    python = _fake_python(tmp_path)
    env = make.environment(**variables)
    expected = make.run([python, *PYTHON_SHIM[1:]], words, env=env)
    assert expected.out.startswith(b"-I|-S|")
    assert make.run(compiled(launcher, python), words, env=env) == expected


@pytest.mark.parametrize("words", [[], ["mm2", "t:a"], ["mm1"], ["-c", "echo"], ["mm1", *["x"] * 9]], ids=str)
def test_words_that_no_fragment_writes_are_left_to_python(
    make: Make, launcher: Path, tmp_path: Path, words: list[str]
) -> None:
    python = _fake_python(tmp_path)
    assert make.run(compiled(launcher, python), words) == make.run([python, *PYTHON_SHIM[1:]], words)


@pytest.mark.parametrize("variables", [{}, {"SUDO_UID": "1234"}], ids=["no directory above ours", "root for somebody"])
def test_where_nothing_can_be_recorded_the_line_needs_no_python(
    make: Make, launcher: Path, tmp_path: Path, variables: dict[str, str]
) -> None:
    if variables and os.geteuid() != 0:
        pytest.skip("not root")
    words = shim_words("echo ran; exit 3", make.state if variables else "/nowhere/state")
    done = make.run(compiled(launcher, _fake_python(tmp_path)), words, env=make.environment(**variables))
    assert (done.status, done.out, done.entries) == (3, b"ran\n", ())


@pytest.mark.asks_system
@pytest.mark.parametrize("text", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\n", "no program", ""], ids=ascii)
def test_a_python_that_does_not_run_costs_no_line(make: Make, launcher: Path, tmp_path: Path, text: str) -> None:
    python = tmp_path / "python"
    python.write_text(text)
    python.chmod(0o755)
    _marker(b"0123abcd.1.2")(make)  # which is left to Python
    done = make.run(compiled(launcher, str(python)), shim_words("echo ran; exit 3", make.state))
    assert (done.status, done.out, done.entries) == (3, b"ran\n", ())


def test_without_python_the_line_runs_unrecorded(make: Make, launcher: Path) -> None:
    done = make.run(compiled(launcher), shim_words("echo ran; exit 3", "/nowhere/state"))
    assert (done.status, done.out, done.entries) == (3, b"ran\n", ())


def test_the_launcher_creates_its_directories_without_python(make: Make, launcher: Path) -> None:
    """Python may be unable to start if a makefile exports LD_LIBRARY_PATH, for instance."""
    make.records.rmdir()
    done = make.run(compiled(launcher), shim_words("echo ran; exit 3", make.state))
    assert (done.status, done.out, len(done.entries)) == (3, b"ran\n", 1)
    assert stat.S_IMODE(make.records.stat().st_mode) == 0o700


def test_the_launcher_says_whether_it_can_run_here(launcher: Path) -> None:
    done = subprocess.run([launcher, "mm1"], check=False, capture_output=True)
    assert (done.returncode, done.stdout) == (0, b"mm1 runs")
    assert subprocess.run([launcher, "mm0"], check=False).returncode != 0
    assert subprocess.run([launcher], check=False).returncode == 127


# ---- the record ----


def test_a_line_is_recorded(make: Make, shim: Sequence[str]) -> None:
    done = make.run(shim, shim_words("exit 3", make.state, target="a%20b", goal="all"))
    assert done.entries == ((make.key.decode(), "a b", "all", 0, 3, 0),)


@pytest.mark.asks_system
@pytest.mark.skipif(sys.platform != "linux", reason="it stands in for macOS's launcher on Linux")
def test_what_macos_s_launcher_does_around_a_line_needs_no_python(make: Make, tmp_path: Path) -> None:
    done = make.run(compiled(as_macos(tmp_path)), shim_words("echo ran; exit 3", make.state, target="a"))
    assert (done.status, done.out, done.entries) == (3, b"ran\n", ((make.key.decode(), "a", "", 0, 3, 0),))


def test_a_lines_processor_time_and_memory_are_recorded(make: Make, shim: Sequence[str]) -> None:
    held = "held = bytearray(64 << 20); held[::4096] = b'x' * len(held[::4096])"
    busy = "import os\nwhile sum(os.times()[:2]) < 0.2: pass"
    for code in (held, busy):
        words = shim_words(f'{sys.executable} -I -S -c "{code}"; true', make.state)
        assert make.start(shim, words).wait(60) == 0
    holding, working = record.parse(make.record.read_bytes()).lines
    assert holding.peak_kib is not None
    assert working.peak_kib is not None
    assert 64 * 1024 < holding.peak_kib < 256 * 1024
    assert working.peak_kib < 64 * 1024
    assert holding.cpu_us is not None
    assert working.cpu_us is not None
    assert 0 < holding.cpu_us < working.cpu_us + 10_000_000
    assert 190_000 <= working.cpu_us <= 10_000_000


def test_a_line_that_cannot_be_started_takes_no_time_and_memory(make: Make, shim: Sequence[str]) -> None:
    assert make.start(shim, shim_words("nothere", make.state), stderr=subprocess.DEVNULL).wait(60) == 127
    (line,) = record.parse(make.record.read_bytes()).lines
    assert (line.cpu_us, line.peak_kib) == (0, 0)


def test_an_emulator_without_vfork_hides_no_error(make: Make, launchers: Launchers, tmp_path: Path) -> None:
    """qemu-user copies the memory that a child of vfork(2) should share, and does not wait for it."""
    build(tmp_path / "launcher", flags=(*HARDENING, "-Dvfork=fork"))
    script = tmp_path / "script"
    script.write_text("echo by a shell; exit 4\n")
    script.chmod(0o755)
    for line in ("./nothere", str(script), str(tmp_path), "true", "exit 5"):
        expected = make.run(compiled(launchers["compiled"]), shim_words(line, make.state))
        assert make.run(compiled(tmp_path / "launcher"), shim_words(line, make.state)) == expected


@pytest.mark.parametrize("marker", [b"", None], ids=["empty", "none"])
def test_the_first_line_of_a_make_starts_the_walk(make: Make, shim: Sequence[str], marker: bytes | None) -> None:
    """The walk finds that this process is no make, and most often that no make is above it."""
    make.marker.unlink()
    if marker is not None:
        make.marker.write_bytes(marker)
    with_python = [word.replace("/nowhere/python", sys.executable) for word in shim]
    assert make.start(with_python, shim_words("exit 3", make.state)).wait(60) == 3
    verdict = make.marker.read_bytes()
    assert verdict in (b"!", b"-")
    records = [record.parse(path.read_bytes()).lines for path in make.records.glob("*.rec")]
    assert [(line.status, line.fate) for (line,) in records] == ([(3, 9)] if verdict == b"!" else [])


@pytest.mark.parametrize(("verdict", "entries"), [(b"-", 0), (b"!", 1)])
def test_a_line_follows_the_walks_verdict(make: Make, shim: Sequence[str], verdict: bytes, entries: int) -> None:
    make.marker.write_bytes(verdict)
    process = make.start(shim, shim_words("exit 3", make.state))
    assert process.wait(60) == 3
    paths = list(make.records.glob("*.rec"))
    assert len(paths) == entries
    assert all(f".{process.pid}." in path.name for path in paths)


@pytest.mark.asks_system
def test_without_a_walk_the_make_is_a_run_of_its_own(make: Make, launcher: Path) -> None:
    make.marker.unlink()
    assert make.start(compiled(launcher), shim_words("exit 3", make.state)).wait(60) == 3
    assert (make.records / f"{make.key.decode()}.rec").exists()


def test_an_entry_after_a_torn_one_is_whole(make: Make, shim: Sequence[str]) -> None:
    first = b"R 1 %b 00 ;\nL 1.2.3 torn" % RUN
    make.record.write_bytes(first)
    assert make.start(shim, shim_words("true", make.state)).wait(60) == 0
    assert make.record.read_bytes().startswith(first + b"\nL " + make.key)


def test_a_line_without_the_lock_writes_its_own_record(make: Make, shim: Sequence[str]) -> None:
    with make.lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert make.start(shim, shim_words("true", make.state)).wait(60) == 0
    assert not make.record.exists()
    (private,) = make.records.glob("*.rec")
    assert private.name.startswith(RUN.decode() + "~")
    assert len(make.entries()) == 1


def test_a_removed_lock_file_is_not_used(make: Make, shim: Sequence[str]) -> None:
    with make.lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        line = make.start(shim, shim_words("true", make.state))
        until(lambda: line.poll() is not None or str(make.lock) in _open_files(line.pid))
        make.lock.unlink()
    assert line.wait(60) == 0
    assert len(make.entries()) == 1


def _open_files(pid: int) -> list[str]:
    try:
        return [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []


def test_an_entry_that_does_not_fit_is_removed(make: Make, shim: Sequence[str]) -> None:
    first = b"R 1 %b 00 ;\n" % RUN
    make.record.write_bytes(first)
    limit = len(first) + 20
    words = shim_words("exit 3", make.state)
    line = make.start(shim, words, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    assert line.wait(60) == 3
    assert make.record.read_bytes() == first


@pytest.mark.parametrize("what", ["state", "records", "makes"])
def test_a_symbolic_link_in_place_of_our_directory_is_not_used(
    make: Make, shim: Sequence[str], tmp_path: Path, what: str
) -> None:
    path = {"state": make.state, "records": make.records, "makes": make.makes}[what]
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    done = make.run(shim, shim_words("exit 3", make.state))
    assert (done.status, done.entries) == (3, ())


@pytest.mark.parametrize("what", ["record", "lock"])
def test_nothing_is_written_through_a_symbolic_link(make: Make, shim: Sequence[str], tmp_path: Path, what: str) -> None:
    (make.record if what == "record" else make.lock).symlink_to(tmp_path / "target")
    assert make.start(shim, shim_words("exit 3", make.state)).wait(60) == 3
    assert not (tmp_path / "target").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="not root")
def test_root_gives_files_to_the_directorys_owner(make: Make, shim: Sequence[str]) -> None:
    os.chown(make.records, 1234, 1235)
    assert make.start(shim, shim_words("true", make.state)).wait(60) == 0
    assert {(path.stat().st_uid, path.stat().st_gid) for path in make.records.iterdir()} == {(1234, 1235)}


# ---- signals and descriptors ----


def _started(make: Make, shim: Sequence[str], line: str, **more: Any) -> subprocess.Popen[str]:
    """Start a line that prints when it is ready, and wait for that."""
    options = {"cwd": make.work, "env": make.environment(), "stdin": subprocess.DEVNULL, **more}
    process = subprocess.Popen([*shim, *shim_words(line, make.state)], stdout=subprocess.PIPE, text=True, **options)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2])
def test_signals_are_forwarded_to_the_line(make: Make, shim: Sequence[str], number: int) -> None:
    process = _started(make, shim, "echo ready; exec sleep 60")
    with started(process):
        process.send_signal(number)
        assert process.wait(60) == -number
    ((*_, status, fate),) = make.entries()
    assert (status, fate) == (-number, number if number in (signal.SIGTERM, signal.SIGHUP) else 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_the_shim_waits_through_interrupts(make: Make, shim: Sequence[str], number: int) -> None:
    process = _started(make, shim, "echo ready; read line; exit 5", stdin=subprocess.PIPE)
    with started(process):
        process.send_signal(number)
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
        assert process.wait(60) == 5
    ((*_, status, fate),) = make.entries()
    assert (status, fate) == (5, number)


@EACH_SYSTEM
def test_a_trap_in_the_recipe_decides_how_the_line_ends(make: Make, shim: Sequence[str]) -> None:
    process = _started(make, shim, "trap 'echo trapped; exit 6' TERM; echo ready; while :; do sleep 0.01; done")
    with started(process):
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 6
    assert make.entries()[0][4:] == (6, signal.SIGTERM)


@EACH_SYSTEM
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD])
def test_an_ignored_signal_stays_ignored(make: Make, shim: Sequence[str], number: int) -> None:
    line = f"kill -{number} $PPID; grep SigIgn /proc/self/status; exit 7"
    done = make.run(shim, shim_words(line, make.state), preexec_fn=lambda: void(signal.signal(number, signal.SIG_IGN)))
    assert done.status == 7
    if number != signal.SIGCHLD:
        ignored = int(done.out.split()[1], 16) & ~(3 << 31)  # posix_spawn may leave its own two ignored
        assert ignored == 1 << number - 1


@EACH_SYSTEM
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1])
def test_what_the_whole_group_is_sent_reaches_the_line_once(make: Make, shim: Sequence[str], number: int) -> None:
    """A third process sends the signal, as `timeout` or a supervisor would; the shim's parent does not."""
    name = signal.Signals(number).name[3:]
    line = (
        f"count=0; trap 'count=$((count + 1))' {name}; echo ready; read go; "
        "for i in 1 2 3 4 5; do sleep 0.1; done; echo $count"
    )
    words = [*shim, *shim_words(line, make.state)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
    with started(process):
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        subprocess.run(["/bin/kill", f"-{name}", "--", f"-{process.pid}"], check=True)
        process.stdin.write("go\n")
        process.stdin.close()
        assert process.stdout.readline() == "1\n"


@EACH_SYSTEM
@pytest.mark.asks_system
def test_a_recipe_that_signals_its_parent_signals_make(make: Make, shim: Sequence[str]) -> None:
    received: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: received.append(number))
    try:
        assert make.run(shim, shim_words("kill -USR1 $PPID; exit 7", make.state)).status == 7
        until(lambda: received)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_the_entry_of_a_line_tells_that_its_make_was_killed(make: Make, shim: Sequence[str], tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    parent = "import os, sys; sys.stdin.read(); os.spawnv(os.P_WAIT, sys.argv[1], sys.argv[1:])"
    with started(
        subprocess.Popen(
            [sys.executable, "-c", parent, *shim, *shim_words(f"echo ready; read x < {gate}", tmp_path / "b/state")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=make.environment(),
            text=True,
        )
    ) as process:
        other = Make(tmp_path / "b", process.pid)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdin = None
        assert process.stdout.readline() == "ready\n"
        process.kill()
        process.wait(60)
        gate.write_text("go\n")
        until(lambda: any(b"\nL " in path.read_bytes() for path in other.records.glob("*.rec")))
    # If make dies before the line has read its process key, the line is a run of its own.
    (path,) = other.records.glob("*.rec")
    (line,) = record.parse(path.read_bytes()).lines
    assert (line.status, line.fate) == (0, 9)


def test_the_line_has_the_descriptors_that_make_left_open(make: Make, shim: Sequence[str], tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as written, (tmp_path / "file").open() as read:
        numbers = written.fileno(), read.fileno()
        words = shim_words("for one in /proc/self/fd/*; do [ ! -e $one ] || echo ${one##*/}; done", make.state)
        done = make.run(shim, words, pass_fds=numbers)
    assert sorted(int(number) for number in done.out.split()) == [0, 1, 2, *sorted(numbers)]


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_standard_streams_stay_closed(make: Make, shim: Sequence[str], closed: str) -> None:
    words = shim_words("ls /proc/self/fd > out; nothere; exit 3", make.state)
    script = f'exec "$@" {closed}'
    done = make.run(["sh", "-c", script, "sh", *shim], words)
    plain = make.run(["sh", "-c", script, "sh", "/bin/sh", "-c"], words[-1:])
    assert (done.status, done.files) == (plain.status, plain.files)
    assert len(done.entries) == 1


def test_a_variable_that_the_intermediate_shell_drops_is_restored(make: Make, shim: Sequence[str]) -> None:
    """Flags hook: the intermediate shell has dropped it; make's environment, here this process's, still has it."""
    parent = "import os, sys; os.environb.pop(b'a.b'); os.spawnve(os.P_WAIT, sys.argv[1], sys.argv[1:], os.environb)"
    words = shim_words("env", "/nowhere/state", environment="-/+%2Fa/=/+3")
    env = {**make.environment(), "a.b": "c", "BASH_FUNC_f%%": "() { :\n}", "PWD": "/x", "-": "d", "9a": "no"}
    done = make.run([sys.executable, "-c", parent, *shim], words, env=env)
    assert {b"a.b=c", b"-=d", b"OLDPWD=/a", b"SHLVL=3"} <= set(done.out.splitlines())
    assert b"PWD=/x" not in done.out.splitlines()
