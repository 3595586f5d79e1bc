"""The log of our own failures, a small file for each way to fail: written by what fails, read by `crashes.log`.

Loaded only when something has failed already, be it another of our modules: nothing of ours is needed to load this, and
nothing but what the interpreter has built in. What the machine does to us is no failure of ours, and is not written
down (see `is_expected`). The log stays on this machine; what may be reported of it is said in `crashes.report`.
"""

import errno
import posix
import sys
import time

FORMAT = 1
LIMIT_FILES = 32
LIMIT_BYTES = 60_000
ENTRY_SUFFIX, SENT_SUFFIX = b".json", b".sent"
_PRIME = (1 << 61) - 1
_MESSAGE, _PATH, _WORD = 500, 300, 100
_ERRORS, _FRAMES, _PROCESSES = 3, 20, 64
# An error of the operating system is the machine's: no disk space, no home, no rights. Only wrong code gets these.
_BUGS = (errno.EBADF, errno.ECHILD, errno.EFAULT)
_MAY_BE_MISSING = ("fcntl", "psutil")


def is_expected(error: BaseException) -> bool:
    """Whether a failure is the machine's, and no bug: the operating system's no, no memory, a library left out."""
    if isinstance(error, OSError):
        return error.errno not in _BUGS
    if isinstance(error, ImportError):
        return error.name in _MAY_BE_MISSING
    return isinstance(error, MemoryError) or not isinstance(error, Exception)


def log_directory(state: bytes) -> bytes:
    """The directory of the log."""
    return state + b"/crashes"


def write_line_failure(environ: dict[bytes, bytes], error: BaseException) -> None:
    """Write a failure of a recipe line's shim down, which was started with the words of `hot.arguments`.

    Raises as `write_failure` does, and whatever comes of words that no fragment hands over.
    """
    words = [word.encode(sys.getfilesystemencoding(), "surrogateescape") for word in sys.argv[1:6]]
    meta, state = words[3].split(b":"), words[4][2:]
    try:
        from make_metrics.hot import append, record_format
        from make_metrics.hot.state_dir import find_state_dir
    except Exception:  # one of these is what is broken
        moved = environ.get(b"MAKE_METRICS_HOME", b"").rstrip(b"/")
        state = moved + b"/state" if moved else state
        if state[:1] != b"/" or b"%" in state:
            return
    else:
        state, anchor = find_state_dir(record_format.decode(state), environ, level=int(meta[1] or b"0"))
        append.ensure_directory(state, anchor)
    write_failure(state, error, part="shim", environ=environ, make=meta[2], name=meta[3])


def write_walk_failure(error: BaseException, part: str = "walk") -> None:
    """Write a failure of the walk down, or of a later part of it; raises as `write_failure` does."""
    words = [word.encode(sys.getfilesystemencoding(), "surrogateescape") for word in sys.argv[2:]]  # behind "walk"
    write_failure(words[2], error, part=part, environ=dict(posix.environ), make=words[4], name=words[3])


def write_failure(
    state: bytes,
    error: BaseException,
    *,
    part: str,
    environ: dict[bytes, bytes],
    make: bytes = b"",
    name: bytes = b"",
    above: bool = True,
) -> None:
    """Write a failure of the part `part` down; one that is known already is only marked as seen again.

    `make` is the version of make, if there is one; `name` and `above` are as in `limits`.
    Raises whatever keeps it from being written: the caller goes on in any case.
    """
    if state[:1] != b"/":
        raise ValueError("the state directory is not absolute")
    if is_expected(error) or (not posix.geteuid() and environ.get(b"SUDO_UID", b"0") != b"0"):
        return
    system = posix.uname()
    facts = {
        "format": FORMAT,
        "part": part,
        "version": sys.modules["make_metrics"].__version__,
        "python": sys.version.split()[0],
        "system": system.sysname,
        "machine": system.machine,
        "make": make[:_WORD].decode("ascii", "replace"),
        "directory": _text(posix.getcwdb()),
        "package": _text(__file__.rpartition("/hot/")[0].encode("utf-8", "surrogateescape")),
        "limits": limits(environ, above=above, name=name),
        "errors": _chain(error),
    }
    # The words of an error may differ each time; where it was does not.
    same = {**facts, "errors": [{**one, "text": ""} for one in facts["errors"]]}
    now_ns = time.time_ns()
    text = _json({**facts, "id": posix.urandom(16).hex(), "time_ns": now_ns}) + "\n"
    if len(text) <= LIMIT_BYTES:
        _write(state, b"%016x" % (int.from_bytes(_json(same).encode(), "big") % _PRIME), text.encode(), now_ns)


def limits(environ: dict[bytes, bytes], *, above: bool, name: bytes = b"") -> "list[list[str]] | None":
    """What the environment says about sending and, with `above`, those of all makes above: no makefile can lift it.

    Pairs of DO_NOT_TRACK and MAKE_METRICS; None if there should be a make above, and its environment cannot be told.
    `name` is what make is called, if not make or gmake.
    """
    found = [_limit(environ)]
    if not above:
        return found
    from make_metrics.hot import procfs

    names, told, pid = (b"make", b"gmake", name), False, posix.getppid()
    for _ in range(_PROCESSES):
        if procfs.program(pid) in names:
            there = procfs.environment(pid)
            if not there:
                return None
            told = True
            found.append(_limit(there))
        pid = procfs.parent(pid)
        if pid < 2:
            break
    return [one for at, one in enumerate(found) if one not in found[:at]] if told else None


def _limit(environ: dict[bytes, bytes]) -> list[str]:
    return [_text(environ.get(name, b""))[:_WORD] for name in (b"DO_NOT_TRACK", b"MAKE_METRICS")]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _chain(error: "BaseException | None") -> list[dict[str, object]]:
    """An error and what it came from, the first cause first, each with its frames, the innermost last."""
    found: list[dict[str, object]] = []
    while error is not None and len(found) < _ERRORS:
        frames = []
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            frames.append([code.co_filename[:_PATH], trace.tb_lineno, code.co_qualname[:_WORD]])
            trace = trace.tb_next
        try:
            said = str(error)[:_MESSAGE]
        except Exception:
            said = ""
        found.insert(0, {"type": type(error).__name__[:_WORD], "text": said, "frames": frames[-_FRAMES:]})
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found


def _json(value: object) -> str:
    """JSON in ASCII; the library's own takes longer to load than all of this."""
    if isinstance(value, dict):
        return f"{{{', '.join([f'{_json(name)}: {_json(one)}' for name, one in value.items()])}}}"
    if isinstance(value, list):
        return f"[{', '.join([_json(one) for one in value])}]"
    if isinstance(value, str):
        plain = [char if " " <= char <= "~" and char not in '"\\' else _escaped(ord(char)) for char in value]
        return f'"{"".join(plain)}"'
    return "null" if value is None else str(value)


def _escaped(code: int) -> str:
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


def _write(state: bytes, name: bytes, text: bytes, now_ns: int) -> None:
    folder = log_directory(state)
    try:
        posix.mkdir(state, 0o700)
    except FileExistsError:
        pass
    for place in (state, folder):
        if place is folder:
            try:
                posix.mkdir(folder, 0o700)
            except FileExistsError:
                pass
        found = posix.lstat(place)
        if found.st_mode & 0o170000 != 0o040000 or found.st_uid != posix.geteuid():
            raise PermissionError("not a directory of ours")
    path = folder + b"/" + name + ENTRY_SUFFIX
    try:
        posix.utime(path, ns=(now_ns, now_ns), follow_symlinks=False)
        return
    except FileNotFoundError:
        pass
    _make_room(folder)
    scratch = b"%b/.%b.%d" % (folder, name, posix.getpid())
    fd = posix.open(scratch, posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL | posix.O_CLOEXEC | posix.O_NOFOLLOW, 0o600)
    try:
        whole = posix.write(fd, text) == len(text)
    finally:
        posix.close(fd)
    if whole:
        posix.utime(scratch, ns=(now_ns, now_ns))
        posix.rename(scratch, path)
    else:
        posix.unlink(scratch)


def _make_room(folder: bytes) -> None:
    """Remove the failures that were not seen for longest, so that there is room for one more."""
    known = []
    for name in posix.listdir(folder):
        if not name.endswith(SENT_SUFFIX):
            try:
                known.append((posix.lstat(folder + b"/" + name).st_mtime_ns, name))
            except FileNotFoundError:
                pass  # somebody else made room
    for _, name in sorted(known)[: max(0, len(known) + 1 - LIMIT_FILES)]:
        for one in (name, name.removesuffix(ENTRY_SUFFIX) + SENT_SUFFIX):
            try:
                posix.unlink(folder + b"/" + one)
            except FileNotFoundError:
                pass
