"""The sender: one process beside each make that a developer starts, which sends its events once it has ended.

It is started by the walk (`sender.start`), and holds nothing of make's. It waits for make's end, however long that
takes; from then on it lives ten seconds at most. Whatever it has not sent by then waits for the next one.
"""

from __future__ import annotations

import os
import sys
import time

if __name__ == "__main__":  # started by its path, in an isolated interpreter
    sys.path.insert(0, os.path.abspath(__file__).rsplit("/", 3)[0])

from make_metrics.sender.protocol import GROUP, MAKE, PROJECT, STATE, notice_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from make_metrics.files.paths import Paths

LIFETIME_S = 10.0
_MARGIN_S = 0.5  # to end in order
_SWEEP_S = 3.0
_LINES_S = 1.0
_PAUSE_S = 0.1


def main() -> None:
    """Wait for the make that the environment names, and send."""
    key, group_text, state, project = (os.environ.pop(name, "") for name in (MAKE, GROUP, STATE, PROJECT))
    if not key or not state or not project:
        return
    from make_metrics.processes.wait import wait_for_end

    group = int(group_text or 0)
    wait_for_end(key)
    give_up = time.monotonic() + LIFETIME_S
    _end_at_last()
    from pathlib import Path

    from make_metrics.files.paths import Paths

    paths = Paths.from_state(Path(state))
    _wait_for_lines(group, min(give_up, time.monotonic() + _LINES_S))
    _in_turn(paths, Path(project), give_up)
    if _wait_for_lines(group, give_up - _SWEEP_S):
        _in_turn(paths, Path(project), give_up)


def _end_at_last() -> None:
    """End this process when its time is over, whatever it is doing then: the outbox is right at every moment.

    Not by a signal or a thread of Python: neither reaches a library that holds the interpreter.
    """
    import faulthandler

    faulthandler.dump_traceback_later(LIFETIME_S, exit=True, file=os.open(os.devnull, os.O_WRONLY))


def _in_turn(paths: Paths, project: Path, give_up: float) -> None:
    """Do the work, unless another sender is at work: that one is told first, and looks again when it is done.

    So one of both does it. The lock is that of `hot.append`, which is known before anything is loaded: those
    who leave again cost next to nothing. Raises OSError if state cannot be used.
    """
    from make_metrics.hot import append

    ours: Path | None = project
    os.close(os.open(paths.sender_wanted, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    while os.path.lexists(paths.sender_wanted) and time.monotonic() < give_up - _MARGIN_S:
        try:
            held = append.lock(os.fsencode(paths.sender_lock), patience_ns=0)
        except BlockingIOError:
            return
        try:
            paths.sender_wanted.unlink(missing_ok=True)
            _send(paths, ours, give_up)
            ours = None  # what others want is theirs to decide, and is looked at before each request
        finally:
            os.close(held)


def _send(paths: Paths, project: Path | None, give_up: float) -> None:
    """Combine and send what there is, until `give_up` of the monotonic clock; not for a project without a yes.

    Raises UserError or OSError if state or store cannot be used.
    """
    from make_metrics.crashes import delivery as crash_delivery
    from make_metrics.deliver.delivery import deliver
    from make_metrics.sweep.sweep import sweep

    if project is not None and not _agreed(paths, project):
        return
    sweep(paths, timeout=_SWEEP_S)
    deliver(paths, os.environ, timeout_s=max(give_up - _MARGIN_S - time.monotonic(), 0.1))
    crash_delivery.deliver(paths, os.environ, give_up - _MARGIN_S)


def _agreed(paths: Paths, directory: Path) -> bool:
    """Whether a project's mode is `on`. A note about a yes that does not hold keeps senders away until that changes."""
    from make_metrics.consent import consent
    from make_metrics.consent.mode import Decision, Mode
    from make_metrics.files.write import write_file
    from make_metrics.project.project import project_of

    project = project_of(directory)
    decision = consent.file_of(paths, project)
    try:
        looks = notice_state(str(directory), str(decision))
    except OSError:  # there is no decision, or there are no settings, any more
        return False
    known = consent.known(paths, project, os.environ)
    if known.decision is not Decision.YES:
        write_file(paths.paused(decision), looks)
    return known.ruling.mode is Mode.ON


def _wait_for_lines(group: int, give_up: float) -> bool:
    """Wait for recipe lines that a killed make has left behind; whether there were any, and they have ended."""
    from make_metrics.processes.wait import lines_remain

    if not group or not lines_remain(group):
        return False
    while lines_remain(group):
        if time.monotonic() >= give_up:
            return False
        time.sleep(_PAUSE_S)
    return True


def _write_down(failure: Exception) -> None:
    """Leave a note for `make-metrics doctor`; a state or store that cannot be used says so there by itself."""
    from make_metrics.crashes import log as crash_log
    from make_metrics.errors import UserError

    if not isinstance(failure, UserError):
        crash_log.note(failure, part="sender", environ=os.environ)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        _write_down(error)
    finally:
        os._exit(0)  # what a request left behind is not waited for
