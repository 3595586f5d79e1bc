"""One recipe line: runs it as make would have run it, then appends one entry to the record.

The order matters. The line starts before any bookkeeping: bookkeeping then takes no time of its own. Signals are
blocked before the line starts and are then waited for one by one: none can arrive between a check and a wait. A failure
of ours after the start costs the record, never the line. A line that cannot be started ends as make itself would end
it.
"""

import _signal
import errno
import posix
import sys
import time

from make_metrics.hot import procfs
from make_metrics.hot.arguments import ANSWER, ASKS_FOR_CHANGES, INVENTED_PATHS, Arguments, changes
from make_metrics.hot.command import DEFAULT_SHELL, find_program, is_recipe_line, starts_nothing, words_of

FORWARDED = (_signal.SIGTERM, _signal.SIGHUP, _signal.SIGUSR1, _signal.SIGUSR2)
ENDS_MAKE = (_signal.SIGTERM, _signal.SIGHUP, _signal.SIGINT, _signal.SIGQUIT)
WAITED_FOR = (*FORWARDED, _signal.SIGINT, _signal.SIGQUIT)
_UNKNOWN_SENDER = -1
_PYTHON_IGNORES = (_signal.SIGPIPE, _signal.SIGXFSZ)


def main(words: list[str]) -> None:
    """Act as the shell that make called; does not return. Raises any failure from before the line's start.

    Given the protocol alone, answers that the shim runs here; given ASKS_FOR_CHANGES too, what our parent has changed.
    """
    if len(words) == 1:
        posix.write(1, ANSWER)
        posix._exit(0)
    if words[1:] == [ASKS_FOR_CHANGES.decode()]:
        answer = changes(procfs.environment(procfs.parent_pid()), procfs.environment())
        while answer:
            answer = answer[posix.write(1, answer) :]
        posix._exit(0)
    encoding = sys.getfilesystemencoding()
    arguments = Arguments([word.encode(encoding, "surrogateescape") for word in words])
    environ = _environment(arguments)
    if not is_recipe_line(arguments, environ):
        _become(arguments, environ)
    if sys.platform == "linux":
        if not posix.access(b"/proc/self/stat", posix.R_OK):
            _become(arguments, environ, recipe=True)  # nothing would tell makes apart, so nothing is recorded
    elif sys.platform != "darwin":
        _become(arguments, environ, recipe=True)  # nothing has been tried there
    _exit(_run(arguments, environ))


def _environment(arguments: Arguments) -> dict[bytes, bytes]:
    """The environment as make passed it on: undoes what the interpreter and the intermediate shell changed."""
    environ = dict(posix.environ)
    if environ.get(b"LC_CTYPE") in (b"C.UTF-8", b"C.utf8", b"UTF-8") and not environ.get(b"LC_ALL"):
        # PEP 538: in the C locale the interpreter sets LC_CTYPE for itself and its children.
        initial = procfs.environment()
        if b"LC_CTYPE" in initial:
            environ[b"LC_CTYPE"] = initial[b"LC_CTYPE"]
        elif initial or environ.get(b"LANG", b"") in (b"", b"C", b"POSIX"):
            del environ[b"LC_CTYPE"]
    if arguments.environment and not arguments.restore_as_told(environ):
        arguments.restore(environ)
        of_make = procfs.environment(procfs.parent_pid())
        if of_make and b"PATH" not in of_make and environ.get(b"PATH") in INVENTED_PATHS:
            del environ[b"PATH"]
        for name, value in of_make.items():
            if name not in environ and (name[:1].isdigit() or not name.replace(b"_", b"a").isalnum()):
                environ[name] = value  # sh drops names that are no identifiers
    return environ


def _report_exec_error(arguments: Arguments, name: bytes, error: OSError, *, recipe: bool) -> int:
    """Print make's message for a program that cannot be started; gives the exit status for it."""
    from make_metrics.hot import exec_error

    of_apple = arguments.ifs == b"a" and recipe  # it starts $(shell) as GNU make does
    if not exec_error.is_lost(arguments.numbers):
        text = exec_error.message(
            name, error.errno or 0, arguments.numbers, procfs.environment(procfs.parent_pid()), of_apple
        )
        level = b"[%d]" % arguments.level if arguments.level else b""
        try:
            posix.write(2, b"%b%b: %b\n" % (arguments.make, level, text))
        except OSError:
            pass
    return 1 if of_apple else 127  # Apple's make runs /usr/bin/false in place of the program


def _signals_to_default() -> list[int]:
    """The signals that the interpreter ignores and make does not: the recipe must find them at their default."""
    ignored = procfs.ignored(procfs.parent_pid())
    return [number for number in _PYTHON_IGNORES if not ignored >> number - 1 & 1]


def _become(arguments: Arguments, environ: dict[bytes, bytes], *, recipe: bool = False) -> None:
    """Replace this process by the command, for `$(shell)` and for a line that is not recorded; does not return."""
    command = words_of(arguments, recipe=recipe)
    for number in _signals_to_default():
        _signal.signal(number, _signal.SIG_DFL)
    try:
        path = find_program(arguments, command[0], environ)
        try:
            _execute(path, command, environ)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            _execute(DEFAULT_SHELL, [DEFAULT_SHELL, path, *command[1:]], environ)
    except OSError as error:
        posix._exit(_report_exec_error(arguments, command[0], error, recipe=recipe))


def _execute(path: bytes, command: list[bytes], environ: dict[bytes, bytes]) -> None:
    """Replace this process by a program. Raises OSError if that cannot be started."""
    if b"" not in environ:
        posix.execve(path, command, environ)
    # Python refuses a variable without a name, which a process may have and make passes on: hand over our environment.
    for name in posix.environ:
        if name not in environ:
            posix.unsetenv(name)
    for name, value in environ.items():
        if name:
            posix.putenv(name, value)
    posix.execv(path, command)


def _start(arguments: Arguments, command: list[bytes], environ: dict[bytes, bytes], mask: object) -> int:
    """Start the command as a child; gives its pid. Raises OSError if it cannot be started."""
    if b"" in environ:
        child = posix.fork()
        if not child:
            _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
            _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
            _become(arguments, environ, recipe=True)
        return child
    path, defaults = find_program(arguments, command[0], environ), _signals_to_default()
    try:
        return posix.posix_spawn(path, command, environ, setsigmask=mask, setsigdef=defaults)  # type: ignore[arg-type]
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        command = [DEFAULT_SHELL, path, *command[1:]]
        return posix.posix_spawn(DEFAULT_SHELL, command, environ, setsigmask=mask, setsigdef=defaults)  # type: ignore[arg-type]


def _run(arguments: Arguments, environ: dict[bytes, bytes]) -> int:
    """Run the line and record it; gives its exit status, or the negative number of the signal that killed it."""
    above = procfs.above()  # now: the line may end make before a recorder is there
    parent = above[0]
    recorder = None
    if arguments.traced:
        try:
            from make_metrics.hot.recorder import open_traced

            recorder, environ = open_traced(arguments, environ, above)
        except Exception as failure:  # costs the variable, not the line
            _log_failure(environ, failure)
    command = words_of(arguments, recipe=True)
    signals = {number for number in WAITED_FOR if _signal.getsignal(number) is not _signal.SIG_IGN}
    signals.add(_signal.SIGCHLD)
    _signal.signal(_signal.SIGCHLD, lambda *_: None)  # POSIX 2.4.1: if ignored, a blocked signal may be lost
    mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, signals)
    wall, start = time.time_ns(), time.clock_gettime_ns(procfs.CLOCK)
    try:
        child = status = 0
        if not starts_nothing(arguments):
            child = _start(arguments, command, environ, mask)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.ENOMEM):  # no room for a second process
            _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
            _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
            _become(arguments, environ, recipe=True)  # run the line in this one, unrecorded
        child, status = 0, _report_exec_error(arguments, command[0], error, recipe=True)
    except Exception:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
        raise
    try:
        from make_metrics.hot.recorder import Recorder  # imported only now: the recipe runs meanwhile

        if recorder is None:
            recorder = Recorder(arguments, environ, above)
        else:
            posix.umask(posix.umask(0o077) & 0o077)
    except Exception as failure:  # costs the record, not the line
        _log_failure(environ, failure)
    fate = 0
    usage: tuple[int, int] | None = (0, 0)
    if child:
        status, fate, usage = _wait(child, parent, signals, shell=command == arguments.shell + arguments.rest)
    end = time.clock_gettime_ns(procfs.CLOCK)
    if recorder is not None:
        try:
            recorder.finish(wall, start, end, status, fate, usage)
            if not fate and status >= 0:
                recorder.invite()
        except Exception as failure:
            _log_failure(environ, failure)
    return status


def _log_failure(environ: dict[bytes, bytes], failure: Exception) -> None:
    """Log a failure of ours for `make-metrics doctor`; never raises."""
    try:
        from make_metrics.hot import failure_log

        failure_log.write_line_failure(environ, failure)
    except Exception:  # noqa: S110
        pass


def _wait(child: int, parent: int, signals: set[int], *, shell: bool) -> tuple[int, int, tuple[int, int] | None]:
    """Wait for the child to end, through Ctrl-C; forward make's signals to it.

    Group signals reach the child directly: only signals that make itself sent are forwarded. If the child is a shell
    and signals us, it means its parent, make: pass the signal up. Any other child (pkill) found us by name, and would
    find nobody without us: drop the signal.

    Gives the exit code, the fate and the usage, as `hot.record_format` defines them.
    """
    fate, ended = 0, False
    usage: tuple[int, int] | None = None
    try:
        import resource  # noqa: F401 - wait4 imports it, but only after it has taken the child's status
    except Exception:
        has_usage = False
    else:
        has_usage = True
    while True:
        if not ended:
            if has_usage:
                pid, status, used = posix.wait4(child, posix.WNOHANG)
                peak = used.ru_maxrss // 1024 if sys.platform == "darwin" else used.ru_maxrss  # macOS counts bytes
                usage = round((used.ru_utime + used.ru_stime) * 1_000_000), peak
            else:
                pid, status = posix.waitpid(child, posix.WNOHANG)
            ended = pid != 0
        number, sender = _next_signal(signals, ended=ended)
        if not number:
            return posix.waitstatus_to_exitcode(status), fate, usage
        if sender == child and number != _signal.SIGCHLD:
            if shell:
                posix.kill(parent, number)  # `kill $PPID` in a recipe means make
            continue
        if number in ENDS_MAKE:
            fate = fate or number
        if number in FORWARDED and not ended and sender in (parent, _UNKNOWN_SENDER):
            posix.kill(child, number)


def _next_signal(signals: set[int], *, ended: bool) -> tuple[int, int]:
    """Wait for one of the blocked signals; gives its number and its sender's pid.

    The pid is `_UNKNOWN_SENDER` without sigwaitinfo(2). Once the line has ended: does not wait, number 0 if no signal
    is pending.
    """
    if ended and not signals.intersection(_signal.sigpending()):
        return 0, 0
    if hasattr(_signal, "sigwaitinfo"):
        info = _signal.sigwaitinfo(signals)
        return info.si_signo, info.si_pid
    return int(_signal.sigwait(signals)), _UNKNOWN_SENDER


def _exit(status: int) -> None:
    """End as the line ended: with its exit status, or killed by the same signal; does not return."""
    if status < 0:
        try:
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the line has left its own core file
        except Exception:  # noqa: S110
            pass
        try:
            _signal.signal(-status, _signal.SIG_DFL)
        except (OSError, ValueError):
            pass  # SIGKILL cannot be set
        posix.kill(posix.getpid(), -status)
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [-status])
        status = 128 - status
    posix._exit(status)
