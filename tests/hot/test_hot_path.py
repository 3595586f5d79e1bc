"""The hot path: what it imports, in which order it works, and how it appends to a record."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from filelock import FileLock

from make_metrics.combine import record
from make_metrics.files.paths import Paths
from make_metrics.hot import append
from make_metrics.hot.state_dir import find_state_dir
from tests.support.imports import loaded
from tests.support.project import ROOT, SOURCE, Project

BUILT_IN = {"posix", "time", "errno", "_signal", "sys"}
OURS = {
    "make_metrics",
    "make_metrics.hot",
    *(
        f"make_metrics.hot.{name}"
        for name in ("arguments", "command", "line", "procfs", "split_words", "record_format")
    ),
}
AFTER_THE_START = {
    "make_metrics.hot.append",
    "make_metrics.hot.recorder",
    "make_metrics.hot.state_dir",
    "fcntl",
    "resource",
}


def test_a_line_starts_with_built_in_modules_only() -> None:
    assert loaded("import make_metrics.hot.line") <= OURS | BUILT_IN


def test_the_bookkeeping_of_a_line_loads_few_more_modules() -> None:
    assert (
        loaded("import make_metrics.hot.line, make_metrics.hot.recorder, fcntl, resource")
        <= OURS | AFTER_THE_START | BUILT_IN
    )


@pytest.mark.parametrize(
    "name", [*sorted(path.stem for path in (SOURCE / "make_metrics/hot").glob("*.py")), "../entry"]
)
def test_no_hot_module_imports_a_cold_one(name: str) -> None:
    text = (ROOT / f"shim/make_metrics/hot/{name}.py").read_text()
    imports = re.findall(r"^\s*(?:from|import) ([\w.]+)", text, flags=re.MULTILINE)
    hot = {
        "make_metrics.hot",
        "make_metrics.hot.state_dir",
        "make_metrics.hot.arguments",
        "make_metrics.hot.command",
        "make_metrics.hot.recorder",
        "make_metrics.hot.line",
    }
    assert {name for name in imports if name.startswith("make_metrics")} <= hot | (
        {"make_metrics.walk.start"} if name == "../entry" else set()
    )


def test_the_recipe_starts_before_any_bookkeeping(tmp_path: Path, home: Path) -> None:
    if not shutil.which("strace"):
        pytest.skip("no strace here")
    project = Project(tmp_path / "project", home, compiled=False)
    project.write("all:\n\t@/bin/true; :\n")
    log = tmp_path / "log"
    trace = ["strace", "-f", "-o", str(log), "-e", "trace=execve,openat,mkdir,flock"]
    assert project.run([*trace, project.make_path]).returncode == 0
    lines = log.read_text().splitlines()
    shell = next(at for at, line in enumerate(lines) if 'execve("/bin/sh"' in line)
    state = str(project.paths.state)
    ours = next(at for at, line in enumerate(lines) if state in line and "mm1" not in line)
    assert shell < ours
    assert any("flock(" in line for line in lines[ours:])


def test_state_directory_is_the_same_for_the_hot_path_and_the_rest(tmp_path: Path) -> None:
    for environ in ({"HOME": str(tmp_path)}, {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "x")},
                    {"MAKE_METRICS_HOME": str(tmp_path / "m")}):  # fmt: skip
        code = "from make_metrics.files.paths import Paths; print(Paths.from_environment().state)"
        env = {**environ, "PYTHONPATH": str(SOURCE)}
        cold = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True).stdout
        hot, _ = find_state_dir(b"", {name.encode(): value.encode() for name, value in environ.items()})
        assert hot.decode() == cold.strip()


def test_what_set_up_hands_over_goes_before_the_platforms_own() -> None:
    assert find_state_dir(b"/handed/state", {b"HOME": b"/home/x"}) == (b"/handed/state", b"/handed")
    assert find_state_dir(b"/handed", {b"MAKE_METRICS_HOME": b"/moved/"}) == (b"/moved/state", b"")


RUN = b"0a0b0c0d.4711.42"
ENTRY = b"L 0a0b0c0d.4711.42 all - 0 1 1 2 0 0 ;\n"


@pytest.fixture
def records(home: Path) -> Path:
    folder = Paths.from_environment().records
    folder.mkdir(parents=True)
    return folder


def written(records: Path) -> list[record.Contents]:
    return [record.parse(path.read_bytes()) for path in sorted(records.glob("*.rec"))]


def test_only_the_user_can_read_a_record(records: Path) -> None:
    append.append_entry(os.fsencode(records), RUN, ENTRY)
    assert {path.name: path.stat().st_mode & 0o777 for path in records.iterdir()} == {
        f"{RUN.decode()}.rec": 0o600,
        f"{RUN.decode()}.lock": 0o600,
    }


def test_a_torn_entry_costs_only_itself(records: Path) -> None:
    append.append_entry(os.fsencode(records), RUN, ENTRY)
    (path,) = records.glob("*.rec")
    path.write_bytes(path.read_bytes() + ENTRY[:-7])
    append.append_entry(os.fsencode(records), RUN, ENTRY)
    (contents,) = written(records)
    assert (len(contents.lines), contents.torn, contents.run) == (2, 1, RUN.decode())


def test_a_writer_without_the_lock_writes_its_own_file(records: Path) -> None:
    with FileLock(records / f"{RUN.decode()}.lock"):
        append.append_entry(os.fsencode(records), RUN, ENTRY)
    (contents,) = written(records)
    assert [path.name.startswith(f"{RUN.decode()}~") for path in records.glob("*.rec")] == [True]
    assert len(contents.lines) == 1


def test_a_writer_waits_for_a_lock_that_is_held_shortly(records: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = {**(append.lock.__kwdefaults__ or {}), "patience_ns": 10**11}  # this thread may be slow in letting go
    monkeypatch.setattr(append.lock, "__kwdefaults__", patient)
    lock = FileLock(records / f"{RUN.decode()}.lock")
    lock.acquire()
    writer = threading.Thread(target=append.append_entry, args=(os.fsencode(records), RUN, ENTRY))
    writer.start()
    lock.release()
    writer.join(100)
    assert [path.name for path in records.glob("*.rec")] == [f"{RUN.decode()}.rec"]


def test_a_lock_file_that_is_removed_meanwhile_is_created_again(records: Path) -> None:
    path = records / f"{RUN.decode()}.lock"
    held = append.lock(os.fsencode(path))
    descriptors: list[int] = []
    waiting = threading.Thread(target=lambda: descriptors.append(append.lock(os.fsencode(path), patience_ns=10**11)))
    waiting.start()
    path.unlink()
    os.close(held)
    waiting.join(100)
    assert os.fstat(descriptors[0]).st_nlink == 1
    with path.open() as again, pytest.raises(BlockingIOError):
        fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptors[0])


@pytest.mark.parametrize("kind", ["rec", "lock"])
def test_a_planted_symbolic_link_is_not_followed(records: Path, tmp_path: Path, kind: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (records / f"{RUN.decode()}.{kind}").symlink_to(victim)
    try:
        append.append_entry(os.fsencode(records), RUN, ENTRY)
    except OSError:
        assert kind == "rec"
    assert victim.read_text() == "precious"


def test_a_symbolic_link_in_place_of_a_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(PermissionError):
        append.ensure_directory(os.fsencode(tmp_path / "link"), os.fsencode(tmp_path))
    with pytest.raises(FileNotFoundError):
        append.ensure_directory(os.fsencode(tmp_path / "no/home/state"), os.fsencode(tmp_path / "no/home"))
    append.ensure_directory(os.fsencode(tmp_path / "a/b/c"), os.fsencode(tmp_path))
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_twenty_writers_lose_nothing_while_records_are_combined(records: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'shim')!r})\n"
        "from make_metrics.hot import append\n"
        f"for number in range(50):\n append.append_entry({os.fsencode(records)!r}, {RUN!r}, {ENTRY!r})\n"
    )
    writers = [subprocess.Popen([sys.executable, "-I", "-S", "-c", code]) for _ in range(20)]
    count = 0
    while any(writer.poll() is None for writer in writers) or list(records.glob("*.rec")):
        with FileLock(records / f"{RUN.decode()}.lock") as lock:
            for path in records.glob("*.rec"):
                data = path.read_bytes()
                if "~" in path.name and not data.endswith(b"\n"):
                    continue  # its writer is about to write
                count += len(record.parse(data).lines)
                path.unlink()
            Path(lock.lock_file).unlink(missing_ok=True)
    assert [writer.returncode for writer in writers] == [0] * 20
    assert count == 1000
