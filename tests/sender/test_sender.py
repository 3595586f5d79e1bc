"""The sender, with real makes and a real receiver: events arrive by themselves, and nothing of make's is held."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from filelock import FileLock

from make_metrics.project.project import project_of
from make_metrics.sender import protocol
from tests.support.preload import CLOCK, LOOKUP_HANGS, preload
from tests.support.project import ROOT, SOURCE, Project, until
from tests.support.project import started as running
from tests.support.records import add, ended_run, line, make_in_project
from tests.support.segment_receiver import Answer, Receiver, receiving
from tests.support.senders import Senders, arrive, started
from tests.support.sharing_project import Sharing
from tests.support.store import ask

STATE = "SELECT (SELECT count(*) FROM pieces), (SELECT max(done) FROM unfinished)"
DETACHED = {"MAKE_METRICS_SENDER": "detached"}


def agreed(project: Project, receiver: Receiver) -> Sharing:
    """A project with a yes."""
    sharing = Sharing(project, receiver)
    sharing.cli("opt-in", "--yes")
    return sharing


@pytest.fixture
def sharing(project: Project, receiver: Receiver, senders: Senders) -> Sharing:
    return agreed(project, receiver)


@pytest.fixture
def once(tmp_path: Path, home: Path, receiver: Receiver, senders: Senders) -> Sharing:
    """A project for one make and one shim, where neither makes a difference."""
    return agreed(Project(tmp_path / "project", home), receiver)


def make(sharing: Sharing, *words: str, **environ: str) -> None:
    done = sharing.project.make(*words, env=sharing.project.environment(**{**DETACHED, **environ}))
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", [(), ("-j4",)], ids=["serial", "parallel"])
def test_events_arrive_without_another_command(
    each: Project, receiver: Receiver, senders: Senders, words: tuple[str, ...]
) -> None:
    sharing = agreed(each, receiver)
    make(sharing, *words)
    arrive(sharing, receiver, senders, "all", "a")
    assert sharing.status()["waiting"]["events"] == 0


def test_events_of_a_make_that_was_interrupted_arrive(sharing: Sharing, receiver: Receiver, senders: Senders) -> None:
    with in_recipe(sharing, "a", "b") as process:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        process.wait(60)
    arrive(sharing, receiver, senders, "a", "b")


def test_targets_that_had_ended_before_make_was_killed_arrive(
    sharing: Sharing, receiver: Receiver, senders: Senders
) -> None:
    with in_recipe(sharing, "a", "b") as process:
        process.kill()
        until(lambda: "a" in receiver.commands or not senders.found(), seconds=60)
        end_line(process)
    senders.gone()
    sharing.cli("flush")
    assert receiver.commands.count("a") == 1


def test_a_line_that_outlives_its_make_is_waited_for(sharing: Sharing, receiver: Receiver, senders: Senders) -> None:
    with in_recipe(sharing, "b") as process:
        assert senders.one()
        process.kill()
        process.wait(60)
        end_line(process)
    arrive(sharing, receiver, senders, "b")


@contextmanager
def in_recipe(sharing: Sharing, *goals: str) -> Iterator[subprocess.Popen[str]]:
    """A make whose target b waits for a line, or the end, of standard input."""
    sharing.project.write("a c:\n\t@:\nb:\n\t@echo b; read line\n")
    env = sharing.project.environment(**DETACHED)
    with running(sharing.project.start(*goals, env=env, stdin=subprocess.PIPE)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "b\n"
        yield process


def end_line(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    process.stdin = None


NOTHING = {"/dev/null", "anon_inode:[pidfd]"}


def held(process: psutil.Process) -> set[str]:
    """What a process holds open, where the system tells."""
    if sys.platform != "linux":
        return set()
    try:
        return {str(path.readlink()) for path in Path(f"/proc/{process.pid}/fd").iterdir()}
    except FileNotFoundError:
        return {"it is opening and closing"}


def stopped_with(process: psutil.Process, most: set[str]) -> bool:
    """Whether a process that was stopped holds no more than this; else it goes on."""
    process.suspend()
    until(lambda: process.status() == psutil.STATUS_STOPPED)
    if not process.open_files() and held(process) <= most:
        return True
    process.resume()
    return False


def test_the_sender_holds_nothing_of_makes(sharing: Sharing, receiver: Receiver, senders: Senders) -> None:
    project = sharing.project
    project.write("all:\n\t@echo begun; read line\n")
    env = {**project.environment(**DETACHED), "SECRET": "planted"}
    words = ["/bin/sh", "-c", f"{project.make_path} all | cat"]
    with running(
        subprocess.Popen(words, cwd=project.folder, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    ) as shell:
        assert shell.stdout is not None
        assert shell.stdout.readline() == "begun\n"
        found = senders.one()
        assert found.cmdline() == [sys.executable, "-I", str(SOURCE / "make_metrics/sender/sender.py")]
        assert os.getsid(found.pid) == os.getpgid(found.pid) == found.pid
        assert found.terminal() is None
        assert found.cwd() == "/"
        assert found.environ()["MAKE_METRICS_SENDER"] == "none"
        # Its interpreter reads what it starts with; then, stopped, it can neither end nor let go of anything.
        until(lambda: stopped_with(found, NOTHING))
        assert found.net_connections() == []
        shell.communicate("\n", timeout=60)
        assert found.is_running()
        assert not any(above.name() in ("make", "gmake") for above in found.parents())
        assert receiver.requests == []
        found.resume()
    arrive(sharing, receiver, senders, "all")


AWAY = [
    {"MAKE_METRICS": "local"}, {"MAKE_METRICS": "log"}, {"MAKE_METRICS": "off"}, {"MAKE_METRICS": "what"},
    {"DO_NOT_TRACK": "1"}, {"CI": "true"}, {"TF_BUILD": "True"}, {"MAKE_METRICS_SENDER": "none"},
    {"MAKE_METRICS_SENDER": "nonsense"},
]  # fmt: skip


def test_the_environment_can_forbid_a_sender(once: Sharing, receiver: Receiver, senders: Senders) -> None:
    for environ in AWAY:
        make(once, "a", **environ)
        assert senders.left() == [], environ
    assert receiver.requests == []


def test_a_makefile_can_forbid_a_sender_and_not_allow_one(once: Sharing, receiver: Receiver, senders: Senders) -> None:
    project = once.project
    for text, given in (("export MAKE_METRICS = local", {}), ("export MAKE_METRICS_SENDER = none", {}),
                        ("unexport CI", {"CI": "true"}), ("export DO_NOT_TRACK = 1", {})):  # fmt: skip
        project.write(f"{text}\na:\n\t@echo a\n")
        make(once, "a", **given)
        assert senders.left() == []
    assert receiver.requests == []


def test_a_proxy_that_a_makefile_exports_is_not_used(once: Sharing, receiver: Receiver, senders: Senders) -> None:
    with receiving() as proxy:
        once.project.write(f"export http_proxy = {proxy.host}\nexport HTTP_PROXY = {proxy.host}\na c:\n\t@:\n")
        make(once, "a")
        arrive(once, receiver, senders, "a")
        assert proxy.requests == []


@pytest.mark.parametrize("answer", ["undecided", "no", "older"])
def test_without_a_yes_there_is_no_sender(
    tmp_path: Path, home: Path, receiver: Receiver, senders: Senders, answer: str
) -> None:
    sharing = Sharing(Project(tmp_path / "project", home), receiver)
    if answer != "undecided":
        sharing.cli("opt-in", "--yes")
    if answer == "no":
        sharing.cli("opt-out")
    if answer == "older":
        sharing.settings(hosts=[f"{receiver.host}/elsewhere"])
    if answer == "older":
        make(sharing, "a")
        senders.gone()  # one has come to look, has found that, and has gone
    make(sharing, "a")
    assert senders.left() == []
    assert receiver.requests == []
    if answer == "older":
        assert not os.path.lexists(sharing.paths.sender_wanted)
        sharing.settings()
        with FileLock(sharing.paths.sender_lock):  # one comes again, and says so
            make(sharing, "c")
            senders.gone()
        assert os.path.lexists(sharing.paths.sender_wanted)


def test_a_yes_is_for_no_other_project(once: Sharing, receiver: Receiver, senders: Senders) -> None:
    other = once.project.folder.parent / "other"
    other.mkdir()
    (other / "Makefile").write_text(f"all:\n\t@:\n{once.project.line}\n")
    done = once.project.make("-C", str(other), env=once.project.environment(**DETACHED))
    assert done.returncode == 0
    assert senders.left() == []


def test_a_nested_make_has_no_sender_of_its_own(once: Sharing, receiver: Receiver, senders: Senders) -> None:
    once.project.write("all:\n\t@$(MAKE) -s inner\ninner:\n\t@echo inner; read line\nc:\n\t@:\n")
    env = once.project.environment(**DETACHED)
    with running(once.project.start("all", env=env, stdin=subprocess.PIPE)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "inner\n"
        assert senders.one()
        process.communicate("\n", timeout=60)
    arrive(once, receiver, senders, "all", "inner")


def test_below_a_sender_there_is_no_other(once: Sharing, senders: Senders) -> None:
    words = [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1])", once.project.make_path]
    assert once.project.run([*words, protocol.PROGRAM], env=once.project.environment(**DETACHED)).returncode == 0
    assert senders.left() == []


def test_a_no_while_make_runs_keeps_its_events_here(once: Sharing, receiver: Receiver, senders: Senders) -> None:
    once.project.write("all: a\n\t@echo begun; read line\na:\n\t@:\n")
    env = once.project.environment(**DETACHED)
    with running(once.project.start(env=env, stdin=subprocess.PIPE)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        assert senders.one()
        once.cli("opt-out")
        process.communicate("\n", timeout=60)
    senders.gone()
    assert receiver.requests == []


def test_further_senders_leave_their_events_to_the_working_one(
    once: Sharing, receiver: Receiver, senders: Senders
) -> None:
    with FileLock(once.paths.sender_lock):
        for _ in range(10):
            make(once, "a")
        senders.gone()
        assert os.path.lexists(once.paths.sender_wanted)
        assert receiver.requests == []
    make(once, "c")
    senders.gone()
    once.cli("flush")
    assert sorted(receiver.commands) == ["a"] * 10 + ["c"]
    assert len(set(receiver.ids)) == len(receiver.ids)


def test_the_working_sender_looks_again(once: Sharing, receiver: Receiver, senders: Senders) -> None:
    receiver.answers(Answer(deed="late"))
    make(once, "a")
    until(lambda: receiver.requests or not senders.left(), seconds=60)
    make(once, "b")
    until(lambda: len(senders.left()) < 2, seconds=60)
    receiver.released.set()
    until(lambda: set(receiver.commands) == {"a", "b"} or not senders.left(), seconds=60)
    senders.gone()
    once.cli("flush")
    assert set(receiver.commands) == {"a", "b"}


def test_ten_senders_at_once_upload_once(once: Sharing, receiver: Receiver, senders: Senders) -> None:
    make(once, "a", MAKE_METRICS_SENDER="none")
    for process in [start(once) for _ in range(10)]:
        process.wait(60)
    once.cli("flush")  # should all of them have been too slow
    assert receiver.commands == ["a"]
    assert len(receiver.requests) == 1


def test_killing_senders_at_any_point_loses_and_invents_nothing(once: Sharing, receiver: Receiver) -> None:
    chance = random.Random(9)  # noqa: S311
    killed, rounds = 0, 0
    while killed < 26 and rounds < 100:  # how many end before they are killed is the machine's business
        make(once, "a", MAKE_METRICS_SENDER="none")
        killed += killed_soon(once, receiver, chance, soon=bool(rounds % 2))
        rounds += 1
    once.cli("flush")
    assert killed >= 26
    assert once.status()["waiting"]["events"] == 0
    ids = [message["messageId"] for message in receiver.accepted if message["properties"]["command"] == "a"]
    assert len(set(ids)) == rounds
    batches = [json.loads(text)["batch"] for text in once.cli("sent").splitlines() if text.startswith("{")]
    assert sorted(message["messageId"] for batch in batches for message in batch) == sorted(set(receiver.ids))


def start(sharing: Sharing) -> subprocess.Popen[bytes]:
    return started(sharing.paths, sharing.project.folder, sharing.project.environment())


def killed_soon(sharing: Sharing, receiver: Receiver, chance: random.Random, *, soon: bool) -> int:
    """Start two senders and kill them; with `soon` when the receiver has a request, and nobody wrote that down yet."""
    before = len(receiver.requests)
    both = [start(sharing) for _ in range(2)]
    if soon:
        until(lambda: len(receiver.requests) > before or all(one.poll() is not None for one in both), seconds=60)
    time.sleep(0 if soon else chance.uniform(0, 0.6))
    for one in both:
        one.kill()
    return sum(one.wait(60) == -signal.SIGKILL for one in both)


def test_a_clock_that_jumps_loses_and_doubles_nothing(
    tmp_path: Path, home: Path, receiver: Receiver, senders: Senders
) -> None:
    clock = tmp_path / "clock"
    clock.write_text("-864000")
    preloaded = preload(tmp_path, **{CLOCK: str(clock)})
    sharing = Sharing(Project(tmp_path / "project", home, compiled=False), receiver)
    sharing.cli("opt-in", "--yes", environ=preloaded)
    chance = random.Random(2)  # noqa: S311
    for _ in range(6):
        clock.write_text(str(chance.randint(-200_000, 200_000)))
        done = sharing.project.make("a", env=sharing.project.environment(**DETACHED, **preloaded))
        clock.write_text(str(chance.randint(-200_000, 200_000)))
        assert done.returncode == 0
        senders.gone()
    sharing.cli("flush", environ=preloaded)
    assert receiver.commands == ["a"] * 6
    assert len(set(receiver.ids)) == len(receiver.ids)


def test_flush_reports_what_it_did_though_a_name_look_up_hangs(tmp_path: Path, once: Sharing) -> None:
    once.settings(hosts=["https://metrics.example"])
    once.cli("opt-in", "--yes")
    make(once, "a", MAKE_METRICS_SENDER="none")
    hanging = preload(tmp_path, **{LOOKUP_HANGS: "1"})
    assert once.cli("flush", "--timeout", "2", status=1, environ=hanging) == "nothing sent\n"
    assert "no answer within" in once.errors
    assert "2 events wait" in once.errors


def test_a_senders_life_is_limited_whatever_it_does() -> None:
    code = "import time; from make_metrics.sender import sender; sender.LIFETIME_S = 0.1\n"
    code += "sender._limit_lifetime(); time.sleep(600)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=60, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"")


IN_A_HURRY = """\
from make_metrics.sender import sender
from make_metrics.sweep import large_run, run_records
sender._DELIVERY_S, sender._FAIR_S, sender.STAY_S = 1_000, 0.01, 0  # no time is left for what is large
run_records.PIECE_BYTES, run_records.LARGE, large_run.SLICE = 6_000, 40, 40
sender.main()
"""


def test_each_sender_gets_forward_with_a_large_run_on_a_machine_that_gives_it_hardly_any_time(
    once: Sharing, receiver: Receiver
) -> None:
    run = ended_run()
    project = project_of(once.project.folder)
    add(once.paths, run, make_in_project(run, project), *(line(f"t{number}", make=run) for number in range(100)))
    environment = once.project.environment(PYTHONPATH=str(SOURCE))
    states = set[tuple[object, ...]]()
    senders = 0
    while once.project.records():
        state = ask(once.paths, lambda connection: tuple(connection.execute(STATE).fetchone()))
        assert state not in states, (senders, state)
        states.add(state)
        started(once.paths, once.project.folder, environment, program=["-c", IN_A_HURRY]).wait(60)
        senders += 1
    assert senders > 1
    once.cli("flush")
    assert len(receiver.ids) == len(set(receiver.ids)) == 102  # with the goal, and the yes


def test_status_says_why_there_is_no_sender(once: Sharing) -> None:
    assert once.status(**DETACHED)["sender"] == {"detached": True, "reason": "", "due": None}
    assert once.status(CI="true", MAKE_METRICS_SENDER="")["sender"] == {
        "detached": False, "reason": "this is CI", "due": None,
    }  # fmt: skip
    said = once.cli("status", environ={"CI": "1", "MAKE_METRICS_SENDER": ""})
    assert "sender: none (this is CI): make-metrics flush sends what waits\n" in said
    once.cli("opt-out")
    assert once.status(**DETACHED)["sender"] == {"detached": False, "reason": "the mode is local", "due": None}
