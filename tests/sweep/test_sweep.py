from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

from make_metrics.combine.record import Make
from make_metrics.files.paths import Paths, private_directory
from make_metrics.hot import procfs, record_format
from make_metrics.processes.alive import alive
from make_metrics.processes.keys import process_key
from make_metrics.project import git_command
from make_metrics.sweep import record_file
from make_metrics.sweep.sweep import sweep
from tests.support.records import (
    MS,
    WALL_NS,
    add,
    age,
    ended_run,
    entry_of,
    left_in,
    line,
    lines_of,
    paths_in,
    runs,
    stored,
)
from tests.support.store import ask
from tests.support.sweep_points import sweep_points

DAY_S = 86_400


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = paths_in(tmp_path / "mm")
    private_directory(paths.records)
    return paths


def test_the_record_of_an_ended_make_is_combined_and_removed(paths: Paths) -> None:
    run = ended_run()
    make = Make(key=run, goals=("all",), directory="/p", version="4.3", wall_ns=WALL_NS)
    add(paths, run, make, line("a", make=run, end=5), line("b", make=run, start=6, end=9, status=3))
    swept = sweep(paths)
    assert (swept.combined, swept.left, swept.problems) == (1, 0, [])
    assert {event.target: event.exit_status for event in stored(paths)} == {"a": 0, "b": 3, "all": 2}
    (summary,) = runs(paths)
    assert (summary.id, summary.directory, summary.goals, summary.exit_status) == (run, "/p", ("all",), 2)
    assert (summary.duration_ms, summary.targets, summary.started_ns) == (9, 3, WALL_NS)
    assert left_in(paths.records) == []


def test_the_record_of_a_running_make_is_left_alone(paths: Paths) -> None:
    with subprocess.Popen(["sleep", "60"]) as make:
        run = process_key(make.pid)
        assert run is not None
        add(paths, run, line(make=run))
        assert sweep(paths).left == 1
        assert stored(paths) == []
        make.kill()
        os.waitid(os.P_PID, make.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has waited for it
        assert sweep(paths).combined == 1
    assert lines_of(paths) == {run: 1}


def test_a_process_that_reuses_a_pid_is_another_one(paths: Paths) -> None:
    mine = process_key(os.getpid())
    assert mine is not None
    assert alive(mine) is True
    assert alive(f"{procfs.host().decode()}.{os.getpid()}.1") is False


@pytest.mark.parametrize("name", ["", "x", "..", "a.1", "0000000g.1.1", "12345678.99999999.1"])
def test_a_name_that_is_no_key_belongs_to_no_process(name: str) -> None:
    assert alive(name) is False


def test_a_run_of_another_boot_is_combined_after_a_day(paths: Paths) -> None:
    run = "ffffffff.1.1"
    assert alive(run) is None
    record = add(paths, run, line(make=run))
    age(record, DAY_S - 60)
    assert sweep(paths).left == 1
    age(record, DAY_S + 60)
    assert sweep(paths).combined == 1
    assert lines_of(paths) == {run: 1}


def test_late_lines_give_the_same_events_as_if_they_had_been_there(paths: Paths) -> None:
    run = ended_run()
    add(paths, run, line("a", make=run, end=5), Make(key=run, goals=("all",)))
    sweep(paths)
    add(paths, run, line("a", make=run, start=6, end=10), line("b", make=run, start=11, status=1))
    sweep(paths)
    late = stored(paths)
    other = paths_in(paths.state.parent / "other")
    private_directory(other.records)
    add(other, run, line("a", make=run, end=5), Make(key=run, goals=("all",)))
    add(other, run, line("a", make=run, start=6, end=10), line("b", make=run, start=11, status=1))
    sweep(other)
    assert late == stored(other)
    assert runs(paths) == runs(other)


def test_lines_over_a_week_late_add_missing_events_only(paths: Paths) -> None:
    run = ended_run()
    add(paths, run, line("a", make=run, end=5))
    sweep(paths)
    ask(paths, lambda connection: connection.execute("DELETE FROM states"))
    before = stored(paths)
    add(paths, run, line("a", make=run, start=6), line("b", make=run, start=7))
    sweep(paths)
    assert [event.target for event in stored(paths)] == ["a", "b"]
    assert stored(paths)[0] == before[0]


def test_private_records_of_a_run_are_part_of_it(paths: Paths) -> None:
    run = ended_run()
    add(paths, run, line("a", make=run))
    for number in range(3):
        text = record_format.preamble(run.encode(), b"%d" % number) + entry_of(line("a", make=run, start=number + 5))
        (paths.records / f"{run}~{number}.rec").write_bytes(text)
    assert sweep(paths).combined == 4
    assert lines_of(paths) == {run: 4}
    assert left_in(paths.records) == []


@pytest.mark.parametrize("cut", [0, 20, -3])
def test_a_private_record_that_is_being_written_is_left_for_later(paths: Paths, cut: int) -> None:
    run = ended_run()
    whole = record_format.preamble(run.encode(), b"1") + entry_of(line("a", make=run))
    record = paths.records / f"{run}~1.rec"
    record.write_bytes(whole[:cut])
    swept = sweep(paths)
    assert (swept.combined, swept.left, swept.put_aside) == (0, 1, 0)
    record.write_bytes(whole)
    sweep(paths)
    assert lines_of(paths) == {run: 1}


def test_a_torn_entry_is_skipped_and_counted(paths: Paths) -> None:
    run = ended_run()
    record = add(paths, run, line("a", make=run))
    with record.open("ab") as file:
        file.write(entry_of(line("b", make=run))[:-9])
    add(paths, run, line("c", make=run, start=9))
    sweep(paths)
    assert [event.target for event in stored(paths)] == ["a", "c"]
    assert runs(paths)[0].torn == 1


def test_a_record_without_its_first_entry_is_combined_once(paths: Paths) -> None:
    run = ended_run()
    torn = record_format.preamble(run.encode(), b"1")[5:]
    whole = torn + entry_of(line("a", make=run))
    record = paths.records / f"{run}.rec"
    record.write_bytes(whole)
    sweep(paths)
    record.write_bytes(whole)  # as if the sweep had been killed before it could remove it
    add(paths, run, line("b", make=run, start=5))
    sweep(paths)
    assert lines_of(paths) == {run: 2}
    record.write_bytes(record_format.preamble(run.encode(), b"2")[5:] + entry_of(line("a", make=run, start=9)))
    sweep(paths)
    assert lines_of(paths) == {run: 3}


def test_a_torn_first_entry_names_the_record_before_and_after_it_is_completed(paths: Paths) -> None:
    record = paths.records / "x.rec"
    record.write_bytes(b"R 1 a")
    before = record_file.read(record, "x", lambda _: 0)
    record.write_bytes(b"R 1 a\n" + entry_of(line("a")))
    assert record_file.read(record, "x", lambda _: 0).identity == before.identity


def test_a_file_that_is_no_record_is_put_aside_and_reported_in_one_line(paths: Paths) -> None:
    garbage = bytes(range(256)) * 40
    for name in ("garbage.rec", f"{ended_run()}.rec"):
        (paths.records / name).write_bytes(garbage)
    swept = sweep(paths)
    assert (swept.put_aside, len(swept.problems)) == (2, 2)
    assert all("\n" not in problem for problem in swept.problems)
    assert [path.read_bytes() for path in paths.set_aside.iterdir()] == [garbage, garbage]
    assert left_in(paths.records) == []
    assert sweep(paths).problems == []


def test_garbage_among_entries_is_skipped_and_counted(paths: Paths) -> None:
    run = ended_run()
    record = add(paths, run, line("a", make=run))
    with record.open("ab") as file:
        file.write(bytes(range(256)))
    add(paths, run, line("b", make=run, start=5))
    swept = sweep(paths)
    assert swept.problems == []
    assert lines_of(paths) == {run: 2}
    assert runs(paths)[0].torn > 0


def test_an_empty_record_is_removed(paths: Paths) -> None:
    (paths.records / f"{ended_run()}.rec").touch()
    swept = sweep(paths)
    assert (swept.combined, swept.problems, runs(paths)) == (1, [], [])
    assert left_in(paths.records) == []


def test_a_lock_without_a_record_is_removed(paths: Paths) -> None:
    (paths.records / f"{ended_run()}.lock").touch()
    sweep(paths)
    assert left_in(paths.records) == []


@pytest.mark.parametrize("kind", ["link", "dangling", "directory", "fifo"])
def test_a_record_that_is_no_regular_file_is_put_aside_unopened(paths: Paths, tmp_path: Path, kind: str) -> None:
    run = ended_run()
    record, elsewhere = paths.records / f"{run}.rec", tmp_path / "elsewhere"
    if kind == "link":
        elsewhere.write_bytes(entry_of(line("a", make=run)))
    if kind in ("link", "dangling"):
        record.symlink_to(elsewhere)
    elif kind == "directory":
        record.mkdir()
    else:
        os.mkfifo(record)
    swept = sweep(paths)
    assert (swept.put_aside, len(swept.problems)) == (1, 1)
    assert stored(paths) == []
    assert elsewhere.exists() == (kind == "link")


def test_a_record_that_becomes_a_link_is_not_followed(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(entry_of(line("a")))
    (paths.records / "x.rec").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        record_file.read(paths.records / "x.rec", "x", lambda _: 0)


def test_a_lock_that_is_a_link_is_not_followed(paths: Paths, tmp_path: Path) -> None:
    run = ended_run()
    add(paths, run, line("a", make=run))
    paths.record_lock(run).unlink()
    paths.record_lock(run).symlink_to(tmp_path / "elsewhere")
    swept = sweep(paths)
    assert (swept.combined, swept.left, len(swept.problems)) == (0, 1, 1)
    assert not (tmp_path / "elsewhere").exists()


def test_a_record_whose_writer_holds_the_lock_is_left_for_later(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("make_metrics.sweep.run_records._PATIENCE_S", 0.05)
    run, other = ended_run(), ended_run()
    add(paths, run, line("a", make=run))
    add(paths, other, line("a", make=other))
    with FileLock(paths.record_lock(run)):
        swept = sweep(paths)
        assert (swept.combined, swept.left, swept.problems) == (1, 1, [])
    assert sweep(paths).combined == 1
    assert lines_of(paths) == {run: 1, other: 1}


def test_only_one_process_sweeps_at_a_time(paths: Paths) -> None:
    add(paths, ended_run(), line("a"))
    with FileLock(paths.sweep_lock):
        assert sweep(paths) == sweep(paths).__class__()
        assert len(sweep(paths, timeout=0.05).problems) == 1
    assert sweep(paths).combined == 1


def test_markers_of_ended_makes_are_removed_after_a_minute(paths: Paths) -> None:
    private_directory(paths.makes)
    mine = process_key(os.getpid())
    assert mine is not None
    ended, young, another_boots = ended_run(), ended_run(), "ffffffff.1.1"
    unnamed = "unnamed.1"  # of a line whose make the walk has to find
    for name in (mine, ended, young, another_boots, unnamed):
        (paths.makes / name).write_text("run")
        age(paths.makes / name, 70)
    age(paths.makes / young, 30)
    sweep(paths)
    assert left_in(paths.makes) == sorted([mine, young, another_boots, unnamed])
    for name in (mine, another_boots, unnamed):
        age(paths.makes / name, DAY_S + 60)
    sweep(paths)
    assert left_in(paths.makes) == sorted([mine, young])


def test_a_damaged_store_loses_no_record(paths: Paths) -> None:
    run = ended_run()
    paths.store.write_bytes(b"no database" * 100)
    add(paths, run, line("a", make=run))
    (paths.records / "x.rec").write_bytes(b"\xff")
    swept = sweep(paths)
    assert len(swept.problems) == 2
    assert lines_of(paths) == {run: 1}


def test_only_the_owner_can_read_the_files_of_a_sweep(paths: Paths) -> None:
    run = ended_run()
    add(paths, run, line("a", make=run))
    with sweep_points(lambda _: assert_modes_are_private(paths)):
        sweep(paths)
    assert_modes_are_private(paths)


def assert_modes_are_private(paths: Paths) -> None:
    for path in paths.state.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_git_facts_come_from_the_make_or_the_top_make(
    paths: Paths, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_command, "_LIMIT_S", 60)
    environ = {**os.environ, "GIT_COMMITTER_DATE": "2021-05-17T19:44:09+02:00"}
    for words in ("init -q", "-c user.name=a -c user.email=a@example.org commit -q --allow-empty -m a"):
        subprocess.run(["git", *words.split()], cwd=tmp_path, check=True, env=environ)
    commit = subprocess.check_output(["git", "rev-parse", "HEAD"], cwd=tmp_path, text=True).strip()
    run, nested, apart = ended_run(), ended_run(), ended_run()
    top = Make(key=run, goals=("a",), repository=str(tmp_path), head=commit, branch="main")
    add(
        paths,
        run,
        top,
        Make(key=nested, parent=run, parent_target="a", level=1),
        Make(key=apart, parent=run, parent_target="a", level=1, repository="/gone", head="0" * 40, branch="topic"),
        line("a", make=run),
        line("b", make=nested, level=1, start=1),
        line("c", make=apart, level=1, start=2),
    )
    sweep(paths)
    time = "2021-05-17T19:44:09+02:00"
    facts = {event.target: (event.git_checked_out_master, event.git_commit_time) for event in stored(paths)}
    assert facts == {"a": (True, time), "b": (True, time), "c": (False, None)}
    (tmp_path / ".git").rename(tmp_path / "gone")
    add(paths, run, line("d", make=run, start=3))
    sweep(paths)
    assert [(event.target, event.git_commit_time) for event in stored(paths)][-1] == ("d", time)


def test_a_step_of_the_wall_clock_does_not_change_durations(paths: Paths) -> None:
    run = ended_run()
    back = record_format.line_entry(run.encode(), b"a", b"", 0, WALL_NS - 3_600 * 1_000_000_000, 2 * MS, 3 * MS, 0, 0)
    record = add(paths, run, line("a", make=run, end=1))
    with record.open("ab") as file:
        file.write(back)
    sweep(paths)
    assert [event.duration_ms for event in stored(paths)] == [3]
