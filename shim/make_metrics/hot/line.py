"""One recipe line: run it exactly as make would have, then append one entry to the record.

Order matters here. The real shell is started before any bookkeeping, so that what we do stands in the recipe's shadow.
Signals are blocked from before it starts and then waited for one by one: none can arrive between a check and a wait.
Whatever fails after the start costs the record; what fails in starting the shell ends as make itself would end.
"""

import _signal
import errno
import posix
import sys
import time

from make_metrics.hot import procfs, split_words
from make_metrics.hot.arguments import Arguments

_HANDED_ON = (_signal.SIGTERM, _signal.SIGHUP, _signal.SIGUSR1, _signal.SIGUSR2)
_ENDS_MAKE = (_signal.SIGTERM, _signal.SIGHUP, _signal.SIGINT, _signal.SIGQUIT)
_NOT_TOLD = -1
_DEFAULT_SHELL = b"/bin/sh"  # also what make has run a script without "#!"
_PYTHON_IGNORES = (_signal.SIGPIPE, _signal.SIGXFSZ)


def main(words: list[str]) -> None:
    """Be the shell that make called; does not return. Raises whatever keeps it from starting anything."""
    encoding = sys.getfilesystemencoding()
    handed = Arguments([word.encode(encoding, "surrogateescape") for word in words])
    environ = _environment(handed)
    if not _is_recipe_line(handed, environ):
        _become(handed, environ)
    _exit(_run(handed, environ))


def _environment(handed: Arguments) -> dict[bytes, bytes]:
    """The environment as make passed it on, without what the interpreter or an intermediate shell changed."""
    environ = dict(posix.environ)
    if environ.get(b"LC_CTYPE") in (b"C.UTF-8", b"C.utf8", b"UTF-8") and not environ.get(b"LC_ALL"):
        # PEP 538: in the C locale the interpreter sets LC_CTYPE for itself and its children.
        given = procfs.environment()
        if b"LC_CTYPE" in given:
            environ[b"LC_CTYPE"] = given[b"LC_CTYPE"]
        elif given or environ.get(b"LANG", b"") in (b"", b"C", b"POSIX"):
            del environ[b"LC_CTYPE"]
    if handed.environment:
        handed.repair(environ)
        for name, value in procfs.environment(posix.getppid()).items():
            if name not in environ and not name.replace(b"_", b"a").isalnum():
                environ[name] = value  # sh drops names that are no identifiers
    return environ


def _is_recipe_line(handed: Arguments, environ: dict[bytes, bytes]) -> bool:
    """Whether make runs a recipe line, rather than `$(shell)` or somebody the SHELL they were given."""
    if not handed.target or len(handed.rest) < 2 or handed.rest[-2][-1:] != b"c":
        return False
    if environ.get(b"MAKELEVEL") != b"%d" % (handed.level + 1):
        return False
    if handed.old_make():
        return True
    try:
        fifo = posix.fstat(1).st_mode & 0o170000 == 0o010000
    except OSError:
        return True
    return not fifo or procfs.same_output(posix.getppid()) is not False


def _command(handed: Arguments, *, recipe: bool) -> list[bytes]:
    """The words to execute: those of a simple line, else the user's shell with its flags and the line."""
    rest = handed.rest
    if handed.shell == [_DEFAULT_SHELL] and len(rest) == 2 and rest[0] in (b"-c", b"-ec") and handed.ifs == b"f":
        words = split_words.split(rest[1], newline_is_text=not recipe)
        if words is not None:
            return words
    return handed.shell + rest


def _find(handed: Arguments, name: bytes, environ: dict[bytes, bytes]) -> bytes:
    """The file that a command's name stands for, by PATH; raises OSError with what execvp(3) would say."""
    if b"/" in name or (b"PATH" not in environ and handed.version == b"4.3"):  # 4.3 does not look elsewhere then
        return name
    missing = errno.EACCES if not name and handed.version == b"4.3" else errno.ENOENT
    if not name:  # a pair of quotes
        raise OSError(missing, posix.strerror(missing))
    for folder in environ.get(b"PATH", b"/bin:/usr/bin").split(b":"):
        path = folder + b"/" + name if folder else name
        try:
            regular = posix.stat(path).st_mode & 0o170000 == 0o100000
            # 4.3 takes the first that may be executed, be it a directory
            if (regular or handed.version == b"4.3") and posix.access(path, posix.X_OK):
                return path
            missing = errno.EACCES
        except OSError as error:
            if error.errno == errno.EACCES:
                missing = errno.EACCES
    raise OSError(missing, posix.strerror(missing))


def _fail(handed: Arguments, name: bytes, error: OSError) -> int:
    """Say what make says of a program that cannot be started, and give the exit status for it."""
    from make_metrics.hot import exec_error

    text = exec_error.message(error.errno or 0, handed.version, procfs.environment(posix.getppid()))
    level = b"[%d]" % handed.level if handed.level else b""
    try:
        posix.write(2, b"%b%b: %b: %b\n" % (handed.make, level, name, text))
    except OSError:
        pass
    return 127


def _defaults() -> list[int]:
    """The signals that the interpreter ignores for itself and the recipe must not find ignored."""
    ignored = procfs.ignored(posix.getppid())
    return [number for number in _PYTHON_IGNORES if not ignored >> number - 1 & 1]


def _become(handed: Arguments, environ: dict[bytes, bytes], *, recipe: bool = False) -> None:
    """Turn into the command: for `$(shell)`, which is no event, or a line that is not measured; does not return."""
    command = _command(handed, recipe=recipe)
    for number in _defaults():
        _signal.signal(number, _signal.SIG_DFL)
    try:
        path = _find(handed, command[0], environ)
        try:
            posix.execve(path, command, environ)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            posix.execve(_DEFAULT_SHELL, [_DEFAULT_SHELL, path, *command[1:]], environ)
    except OSError as error:
        posix._exit(_fail(handed, command[0], error))


def _start(handed: Arguments, command: list[bytes], environ: dict[bytes, bytes], mask: object) -> int:
    """Start the command as a child and give its pid; raises OSError if there is nothing that can be started."""
    path, defaults = _find(handed, command[0], environ), _defaults()
    try:
        return posix.posix_spawn(path, command, environ, setsigmask=mask, setsigdef=defaults)  # type: ignore[arg-type]
    except OSError as error:
        if error.errno != errno.ENOEXEC:
            raise
        command = [_DEFAULT_SHELL, path, *command[1:]]
        return posix.posix_spawn(_DEFAULT_SHELL, command, environ, setsigmask=mask, setsigdef=defaults)  # type: ignore[arg-type]


def _run(handed: Arguments, environ: dict[bytes, bytes]) -> int:
    """Run the line and record it; gives its exit status, or the negative number of the signal that ended it."""
    parent = posix.getppid()
    command = _command(handed, recipe=True)
    waited = {
        number
        for number in (*_HANDED_ON, _signal.SIGINT, _signal.SIGQUIT)
        if _signal.getsignal(number) is not _signal.SIG_IGN
    }
    waited.add(_signal.SIGCHLD)
    _signal.signal(_signal.SIGCHLD, lambda *_: None)  # a signal that is ignored by default need not be kept for us
    mask = _signal.pthread_sigmask(_signal.SIG_BLOCK, waited)
    wall, start = time.time_ns(), time.monotonic_ns()
    try:
        child = _start(handed, command, environ, mask)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.ENOMEM):  # no room for one more process: this one then, and no record
            _signal.signal(_signal.SIGCHLD, _signal.SIG_DFL)
            _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
            _become(handed, environ, recipe=True)
        child, status = 0, _fail(handed, command[0], error)
    except Exception:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, mask)
        raise
    recorder = None
    try:
        from make_metrics.hot.recorder import Recorder  # only now: the recipe does not wait for it

        recorder = Recorder(handed, environ, parent)
    except Exception as failure:  # our part breaks, the line goes on
        _write_down(environ, failure)
    fate = 0
    usage: tuple[int, int] | None = (0, 0)
    if child:
        status, fate, usage = _wait(child, parent, waited, shell=command == handed.shell + handed.rest)
    end = time.monotonic_ns()
    if recorder is not None:
        try:
            recorder.finish(wall, start, end, status, fate, usage)
            if not fate and status >= 0:
                recorder.invite()
        except Exception as failure:
            _write_down(environ, failure)
    return status


def _write_down(environ: dict[bytes, bytes], failure: Exception) -> None:
    """Leave a note for `make-metrics doctor`, if that can be done and it is not the machine's failure."""
    try:
        from make_metrics.hot import failure_log

        failure_log.write_line_failure(environ, failure)
    except Exception:  # noqa: S110
        pass


def _wait(child: int, parent: int, waited: set[int], *, shell: bool) -> tuple[int, int, tuple[int, int] | None]:
    """Wait for the child, through Ctrl-C and handing on what make sends.

    What others send to the whole process group the child has as well, and only once. A shell that signals its parent
    means make; any other program has found us by our name, and would find nobody without us.

    Gives its exit code, what befell make first, and the processor time and memory that it took (see `wire`).
    """
    fate, ended = 0, False
    usage: tuple[int, int] | None = None
    try:
        import resource  # noqa: F401 - which wait4 itself would only ask for once the child's status is taken
    except Exception:
        measured = False
    else:
        measured = True
    while True:
        if not ended:
            if measured:
                pid, status, used = posix.wait4(child, posix.WNOHANG)
                peak = used.ru_maxrss // 1024 if sys.platform == "darwin" else used.ru_maxrss  # macOS counts bytes
                usage = round((used.ru_utime + used.ru_stime) * 1_000_000), peak
            else:
                pid, status = posix.waitpid(child, posix.WNOHANG)
            ended = pid != 0
        number, sender = _next_signal(waited, ended=ended)
        if not number:
            return posix.waitstatus_to_exitcode(status), fate, usage
        if sender == child and number != _signal.SIGCHLD:
            if shell:
                posix.kill(parent, number)  # `kill $PPID` in a recipe means make
            continue
        if number in _ENDS_MAKE:
            fate = fate or number
        if number in _HANDED_ON and not ended and sender in (parent, _NOT_TOLD):
            posix.kill(child, number)


def _next_signal(waited: set[int], *, ended: bool) -> tuple[int, int]:
    """Wait for one of the blocked signals; its number and who sent it (`_NOT_TOLD` where the system does not say).

    Once the line has ended: only what came while we were busy elsewhere, number 0 when there is nothing more.
    """
    if ended and not waited.intersection(_signal.sigpending()):
        return 0, 0
    if hasattr(_signal, "sigwaitinfo"):
        told = _signal.sigwaitinfo(waited)
        return told.si_signo, told.si_pid
    return int(_signal.sigwait(waited)), _NOT_TOLD


def _exit(status: int) -> None:
    """End as the line ended: with its exit status, or dead of the same signal; does not return."""
    if status < 0:
        try:
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the line has left its own core file
        except Exception:  # noqa: S110
            pass
        try:
            _signal.signal(-status, _signal.SIG_DFL)
        except (OSError, ValueError):
            pass  # SIGKILL is never caught
        posix.kill(posix.getpid(), -status)
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [-status])
        status = 128 - status
    posix._exit(status)
