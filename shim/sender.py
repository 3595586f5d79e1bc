"""The sender: one process beside each make that a developer starts, which sends its events once it has ended.

It is started by the walk (`shim.detached`), and holds nothing of make's. It waits for make's end, however long that
takes; from then on it lives ten seconds at most. Whatever it has not sent by then waits for the next one.
"""

from __future__ import annotations

import os
import sys
import time

if __name__ == "__main__":  # started by its path, in an isolated interpreter
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from shim.paths import Paths

PROGRAM = os.path.abspath(__file__)
# What it is told, in its environment: make's key and process group, the state directory, the project's directory.
MAKE, GROUP, STATE, PROJECT = (f"MAKE_METRICS_SENDER_{name}" for name in ("MAKE", "GROUP", "STATE", "PROJECT"))
LIFETIME_S = 10.0
_MARGIN_S = 0.5  # to end in order
_SWEEP_S = 3.0
_LINES_S = 1.0
_PAUSE_S = 0.1


def main() -> None:
    """Wait for the make that the environment names, and send."""
    key, group_text, state, project = (os.environ.pop(name, "") for name in (MAKE, GROUP, STATE, PROJECT))
    if not key or not state:
        return
    from shim import ending  # not where the walk loads this module

    group = int(group_text or 0)
    ending.wait(key)
    give_up = time.monotonic() + LIFETIME_S
    _end_at_last()
    from pathlib import Path

    from shim.paths import Paths

    paths = Paths.from_state(Path(state))
    if _another_at_work(paths) or (project and not _agreed(paths, Path(project))):
        return
    _wait_for_lines(group, min(give_up, time.monotonic() + _LINES_S))
    send(paths, os.environ, give_up)
    if _wait_for_lines(group, give_up - _SWEEP_S):
        send(paths, os.environ, give_up)


def _end_at_last() -> None:
    """End this process when its time is over, whatever it is doing then: the outbox is right at every moment.

    Not by a signal or a thread of Python: neither reaches a library that holds the interpreter.
    """
    import faulthandler

    faulthandler.dump_traceback_later(LIFETIME_S, exit=True, file=os.open(os.devnull, os.O_WRONLY))


def _another_at_work(paths: Paths) -> bool:
    """Whether another sender is at work, which will see to what our make has left: known before anything is loaded.

    Raises OSError if state cannot be used.
    """
    from shim.hot import append

    _want(paths)
    try:
        os.close(append.lock(os.fsencode(paths.sender_lock), patience_ns=0))
    except BlockingIOError:
        return True
    return False


def _want(paths: Paths) -> None:
    """Tell the sender at work, before looking for it, to look again when it is done: one of both sees to it."""
    os.close(os.open(paths.sender_wanted, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))


def _agreed(paths: Paths, directory: Path) -> bool:
    """Whether a project's mode is `on`. A note about a yes that does not hold keeps senders away until that changes."""
    from shim import consent, detached, private_file
    from shim.mode import Decision, Mode
    from shim.settings import project_of

    project = project_of(directory)
    decision = consent.file_of(paths, project)
    try:
        looks = detached.look(str(directory), str(decision))
    except OSError:  # there is no decision, or there are no settings, any more
        return False
    known = consent.known(paths, project, os.environ)
    if known.decision is not Decision.YES:
        private_file.write(paths.paused(decision), looks)
    return known.ruling.mode is Mode.ON


def _wait_for_lines(group: int, give_up: float) -> bool:
    """Wait for recipe lines that a killed make has left behind; whether there were any, and they have ended."""
    from shim import ending

    if not group or not ending.lines_left(group):
        return False
    while ending.lines_left(group):
        if time.monotonic() >= give_up:
            return False
        time.sleep(_PAUSE_S)
    return True


def send(paths: Paths, environ: Mapping[str, str], give_up: float) -> None:
    """Combine and send what there is, until `give_up` of the monotonic clock; another sender at work does it for us.

    Raises UserError or OSError if state or store cannot be used.
    """
    from filelock import FileLock, Timeout

    from shim import crash_delivery, private_file
    from shim.delivery import deliver
    from shim.paths import private
    from shim.sweep import sweep

    private(paths.state)
    private_file.refuse_strange(paths.sender_lock)
    _want(paths)
    while os.path.lexists(paths.sender_wanted) and (left := give_up - _MARGIN_S - time.monotonic()) > 0:
        try:
            with FileLock(paths.sender_lock, mode=0o600).acquire(timeout=0):
                private_file.remove(paths.sender_wanted)
                sweep(paths, timeout=min(_SWEEP_S, left))
                deliver(paths, environ, timeout_s=max(give_up - _MARGIN_S - time.monotonic(), 0.1))
                crash_delivery.deliver(paths, environ, give_up - _MARGIN_S)
        except Timeout:
            return


def _write_down(failure: Exception) -> None:
    """Leave a note for `make-metrics doctor`; a state or store that cannot be used says so there by itself."""
    from shim import crash_log
    from shim.errors import UserError

    if not isinstance(failure, UserError):
        crash_log.note(failure, part="sender", environ=os.environ)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        _write_down(error)
    finally:
        os._exit(0)  # what a request left behind is not waited for
