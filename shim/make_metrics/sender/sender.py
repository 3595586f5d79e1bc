"""The sender: one process beside each make that a developer starts. It sends the make's events once make has ended.

The walk starts it (`sender.start`; the launcher's walk in_c/sender.c, which also waits in its place). It holds nothing
of make's. It waits for make's end without a limit; from then on it sends for ten seconds at most. Events that it has
not sent by then wait for the next sender. For a run that is too large for one sender it has two seconds of the
processor, however long a busy machine takes for that, up to a minute. Where makes follow each other it stays for some
seconds (`sender.burst`), and their senders only leave word. After many turns senders rest for some minutes; the next
one is for all makes that have ended meanwhile, and the launcher waits for it, and no interpreter. Where no process may
outlive make, the walk becomes one that sends what earlier makes have left, until its line ends, for a minute at most:
the recipe has the processor first.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time

if __name__ == "__main__":  # started by its path, in an isolated interpreter
    sys.path.insert(0, os.path.abspath(__file__).rsplit("/", 3)[0])

from make_metrics.files import user_dirs
from make_metrics.hot import append
from make_metrics.sender import burst
from make_metrics.sender.protocol import BESIDE, GROUP, HELD, MAKE, PROGRAM, PROJECT, STATE, notice_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from make_metrics.files.paths import Paths

LIFETIME_S = 10.0
_BESIDE_S = 60.0  # beside a line: ten seconds may not even be enough to start where all processors are busy
_SENDING_S = 10.0  # for receivers
_MARGIN_S = 0.5  # the time that an orderly end needs
_SWEEP_S = 3.0
_DELIVERY_S = 2.0  # for sending what was combined last
_REQUEST_S = 3.0  # left for a request that begins last
_LINES_S = 1.0
_FAIR_S = 2.0  # of the processor, for a run that is too large for one sender
_LARGE_RUN_S = 60.0  # for these two seconds, on a machine that is very busy
_PAUSE_S = 0.1
STAY_S = 3.0  # after the last word that was left
_STAY_AT_MOST_S = 60.0
_LOOK_S = 0.05
_null: list[int] = []  # the descriptor of /dev/null, once it is needed


def main() -> None:
    """Wait for the make that the environment names, and send."""
    task = (os.environ.pop(name, "") for name in (MAKE, GROUP, STATE, PROJECT, HELD))
    key, group_text, state, project, held = task
    if not key or not state or not project:
        return
    is_beside = key == BESIDE  # the end of make's first line ends this process
    group = 0 if is_beside else int(group_text or 0)
    if not is_beside and not held:
        from make_metrics.processes.wait import wait_for_end

        wait_for_end(key)
    lifetime_s = _BESIDE_S if is_beside else LIFETIME_S
    give_up = time.monotonic() + lifetime_s
    _limit_lifetime(lifetime_s)
    lines_ended = _wait_for_lines(group, min(give_up, time.monotonic() + _LINES_S))
    stays = not is_beside and lines_ended
    # The end of a line would leave a process that was started here to a process 1 that does not wait for it.
    if is_beside:
        from make_metrics.processes.children import start_none

        start_none()
    stayed = _send_in_turn(state, project, give_up, stays=stays, descriptor=int(held or -1))
    if not lines_ended and _wait_for_lines(group, give_up - _SWEEP_S):
        _send_in_turn(state, project, give_up)
    if stayed and os.path.lexists(os.path.join(state, user_dirs.SENDER_WANTED)):
        # Word was left just when we ended, or for too long: a new process takes it.
        environ = {name: value for name, value in os.environ.items() if name}  # Python refuses one without a name
        environ |= {MAKE: key, GROUP: "0", STATE: state, PROJECT: project}
        os.execve(sys.executable, [sys.executable, "-I", PROGRAM], environ)  # noqa: S606


def _limit_lifetime(seconds: float = LIFETIME_S) -> None:
    """End this process so many seconds from now, whatever it does then: the outbox is consistent at every moment.

    A signal handler or thread of Python would not do: neither runs while a library holds the interpreter.
    """
    import faulthandler

    if not _null:
        _null.append(os.open(os.devnull, os.O_WRONLY))
    faulthandler.dump_traceback_later(seconds, exit=True, file=_null[0])


def _send_in_turn(state: str, project: str, give_up: float, *, stays: bool = False, descriptor: int = -1) -> bool:
    """Send, or leave it to the sender that works: before it tries the lock, a sender asks that one to look again.

    So one of the two sends. With `stays` it stays afterwards if makes follow each other; true if it did. `descriptor`
    holds the lock already, if it is none below 0. The lock is `hot.append`'s, because that module is loaded already: a
    sender that finds the lock taken costs next to nothing. Raises OSError if the state directory cannot be used.
    """
    lock, wanted = os.path.join(state, user_dirs.SENDER_LOCK), os.path.join(state, user_dirs.SENDER_WANTED)
    own_project = project
    if descriptor < 0:
        _ask_to_look(wanted, project)
    while os.path.lexists(wanted) and time.monotonic() < give_up - _MARGIN_S:
        if descriptor < 0:
            try:
                descriptor = append.lock(os.fsencode(lock), patience_ns=0)
            except BlockingIOError:
                return False
        try:
            os.set_inheritable(descriptor, False)
            from pathlib import Path

            from make_metrics.files.paths import Paths

            paths = Paths.from_state(Path(state))
            is_burst = burst.continues(descriptor)
            burst.note_end(descriptor, is_complete=_take_turn(paths, own_project, give_up))
            own_project = ""  # another project's sender asked: deliver() checks each project itself
            if stays and (is_burst or os.path.lexists(wanted)):
                _stay(paths, Path(project), descriptor)
                return True
        finally:
            os.close(descriptor)
            descriptor = -1
    return False


def _take_turn(paths: Paths, own_project: str, give_up: float) -> bool:
    """Send what a sender has left word for, and whether there was time for all; the caller holds the lock."""
    from pathlib import Path

    asking = Path(_read_wanted(paths))
    paths.sender_wanted.unlink(missing_ok=True)
    own = Path(own_project) if own_project else None
    return _send(paths, own, give_up, first=own or asking)


def _stay(paths: Paths, project: Path, descriptor: int) -> None:
    """Send for the makes that follow, until no word is left for STAY_S; the caller holds the lock.

    Each of their senders leaves word before it tries the lock. So none is overlooked if the caller looks for word once
    more when it has let the lock go. It ends at once if its program or its home goes, or if a decision changes.
    """
    circumstances = burst.circumstances(PROGRAM, paths, project)
    now = time.monotonic()
    idle_until, leave = now + STAY_S, now + _STAY_AT_MOST_S
    _limit_lifetime()
    while (
        now < min(idle_until, leave)
        and os.fstat(descriptor).st_nlink
        and burst.circumstances(PROGRAM, paths, project) == circumstances
    ):
        if os.path.lexists(paths.sender_wanted):
            _limit_lifetime()
            _forget_answers()
            burst.note_end(descriptor, is_complete=_take_turn(paths, "", now + LIFETIME_S))
            _limit_lifetime()
            idle_until = time.monotonic() + STAY_S
        else:
            time.sleep(_LOOK_S)
        now = time.monotonic()


def _forget_answers() -> None:
    """Forget what was asked of the installation: a command may have changed it meanwhile."""
    from make_metrics.metrics import catalogue
    from make_metrics.sinks import kinds

    catalogue.forget()
    kinds.forget()


def _ask_to_look(wanted: str, project: str) -> None:
    """Ask the sender that works to look again, and to take this project first."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(wanted, flags, 0o600)
    try:
        with contextlib.suppress(OSError):  # a full disk: then no project comes first
            os.ftruncate(descriptor, 0)
            os.write(descriptor, os.fsencode(project))
    finally:
        os.close(descriptor)


def _read_wanted(paths: Paths) -> str:
    """The project of the sender that asked last."""
    from make_metrics.files.read import read_file

    with contextlib.suppress(OSError):
        return os.fsdecode(read_file(os.fspath(paths.sender_wanted)) or b"").partition("\0")[0]
    return ""


def _send(paths: Paths, project: Path | None, give_up: float, *, first: Path) -> bool:
    """Combine records and send events, until `give_up` of the monotonic clock; whether there was time for all.

    Those of the project `first` come first. Of `project` it is noted if its yes does not hold any more; nothing of it
    is sent then, but what other makes have left word for. Raises UserError or OSError if state or store cannot be used.
    """
    from make_metrics.crashes import delivery as crash_delivery
    from make_metrics.sweep.sweep import sweep

    if project is not None:
        _look_at_yes(paths, project)
    # What is small and new goes out first. A large run is combined in what is left of the time, by several senders.
    unfinished = sweep(paths, timeout=_SWEEP_S, give_up=time.monotonic()).unfinished
    _deliver(paths, give_up, first)
    if unfinished:
        # A busy machine may give us little of the processor in ten seconds: each sender goes on until it gets forward.
        _limit_lifetime(_LARGE_RUN_S)
        swept = sweep(paths, timeout=_SWEEP_S, give_up=give_up - _DELIVERY_S, at_least_s=_FAIR_S)
        unfinished = swept.unfinished
        give_up = max(give_up, time.monotonic() + _DELIVERY_S)
        _limit_lifetime(give_up - time.monotonic())
        _deliver(paths, give_up, first)
    give_up = min(give_up, time.monotonic() + _SENDING_S)
    crash_delivery.deliver(paths, os.environ, give_up - _MARGIN_S, patient=True)
    _ask_to_erase(paths, give_up)
    return not unfinished and time.monotonic() < give_up - _MARGIN_S


def _ask_to_erase(paths: Paths, give_up: float) -> None:
    """Ask receivers again that were away when a user asked them to erase."""
    from make_metrics.erasure import asking

    asking.ask(paths, timeout_s=max(give_up - _REQUEST_S - time.monotonic(), 0), patient=True)


def _deliver(paths: Paths, give_up: float, first: Path) -> None:
    from make_metrics.deliver.delivery import deliver

    timeout_s = max(min(give_up - time.monotonic(), _SENDING_S) - _MARGIN_S, 0.1)
    deliver(paths, os.environ, timeout_s=timeout_s, first=first, patient=True)


def _look_at_yes(paths: Paths, directory: Path) -> None:
    """If a project's yes does not hold any more, leave a note that keeps senders away meanwhile."""
    from make_metrics.consent import consent
    from make_metrics.consent.mode import Decision
    from make_metrics.files.write import write_file
    from make_metrics.project.project import project_of

    project = project_of(directory)
    decision = consent.decision_path(paths, project)
    try:
        state = notice_state(str(directory), str(decision))
    except OSError:  # the decision or the settings are gone
        return
    if consent.status_of(paths, project, os.environ).decision is not Decision.YES:
        write_file(paths.paused(decision), state)


def _wait_for_lines(group: int, give_up: float) -> bool:
    """Wait for the recipe lines that a killed make left behind; whether none is left. Group 0 has none."""
    from make_metrics.processes.wait import lines_remain

    while group and lines_remain(group):
        if time.monotonic() >= give_up:
            return False
        time.sleep(_PAUSE_S)
    return True


def _note(failure: Exception) -> None:
    """Leave a note for `make-metrics doctor`, but for a UserError: doctor finds a broken state or store itself."""
    from make_metrics.crashes import log as crash_log
    from make_metrics.errors import UserError

    if not isinstance(failure, UserError):
        crash_log.note(failure, part="sender", environ=os.environ)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        _note(error)
    finally:
        os._exit(0)  # do not wait for threads that a request left behind
