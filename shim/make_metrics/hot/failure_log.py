"""The log of our own failures, one small file for each way to fail: this module writes it, `crashes.log` reads it.

Loaded only after something of ours has failed, perhaps another of our modules. So it imports only what is built into
the interpreter. A failure of the machine (`is_expected`) is no failure of ours and is not logged. The log stays on this
machine; `crashes.report` says what may be reported of it.
"""

import errno
import posix
import sys
import time

FORMAT = 1
LIMIT_FILES = 32
LIMIT_BYTES = 60_000
ENTRY_SUFFIX, SENT_SUFFIX = b".json", b".sent"
_NAME_PRIME = (1 << 61) - 1  # folds a failure into its file's name
_LIMIT_MESSAGE, _LIMIT_PATH, _LIMIT_WORD = 500, 300, 100  # characters
_LIMIT_ERRORS, _LIMIT_FRAMES, _LIMIT_PROCESSES = 3, 20, 64
# Any other OSError is the machine's (no disk space, no home, no permission); only a bug of ours gives these.
_BUG_ERRNOS = (errno.EBADF, errno.ECHILD, errno.EFAULT)
_OPTIONAL_MODULES = ("fcntl", "psutil")


def is_expected(error: BaseException) -> bool:
    """Whether a failure is the machine's and no bug: an OSError, no memory, an optional module missing."""
    if isinstance(error, OSError):
        return error.errno not in _BUG_ERRNOS
    if isinstance(error, ImportError):
        return error.name in _OPTIONAL_MODULES
    return isinstance(error, MemoryError) or not isinstance(error, Exception)


def log_directory(state: bytes) -> bytes:
    """The directory of the log, in the state directory `state`."""
    return state + b"/crashes"


def write_line_failure(environ: dict[bytes, bytes], error: BaseException) -> None:
    """Log a failure of this recipe line's shim, whose command line is in the form of `hot.arguments`.

    Raises as `write_failure` does, and ValueError or IndexError for words that the fragment does not write.
    """
    words = [word.encode(sys.getfilesystemencoding(), "surrogateescape") for word in sys.argv[1:6]]
    meta, state = words[3].split(b":"), words[4][2:]
    try:
        from make_metrics.hot import append, record_format
        from make_metrics.hot.state_dir import find_state_dir
    except Exception:  # the broken module is one of these
        root = environ.get(b"MAKE_METRICS_HOME", b"").rstrip(b"/")
        state = root + b"/state" if root else state
        if state[:1] != b"/" or b"%" in state:
            return
    else:
        state, anchor = find_state_dir(record_format.decode(state), environ, level=int(meta[1] or b"0"))
        append.ensure_directory(state, anchor)
    write_failure(state, error, part="shim", environ=environ, make=meta[2], name=meta[3])


def write_walk_failure(error: BaseException, part: str = "walk") -> None:
    """Log a failure of the walk, or of another part that runs in its process; raises as `write_failure` does."""
    words = [word.encode(sys.getfilesystemencoding(), "surrogateescape") for word in sys.argv[2:]]  # after "walk"
    name, make = words[3:5] or (b"", b"")  # a walk that only combines is not told them
    write_failure(words[2], error, part=part, environ=dict(posix.environ), make=make, name=name)


def _owner(path: bytes) -> int:
    """The user whose directory a path is, or lies in; 0 if that cannot be said."""
    while path:
        try:
            return posix.stat(path).st_uid
        except OSError:
            path = path.rpartition(b"/")[0]
    return 0


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
    """Log a failure of the part `part`; if the same failure is in the log already, only update its time.

    `make` is the version of make, empty for a command; `name` and `above` are as in `limits`. Does nothing for an
    expected failure, and for root through sudo or with somebody else's home. Raises OSError or ValueError if it cannot
    be written; callers go on.
    """
    if state[:1] != b"/":
        raise ValueError("the state directory is not absolute")
    if is_expected(error):
        return
    if not posix.geteuid() and (environ.get(b"SUDO_UID", b"0") != b"0" or _owner(state)):
        return
    system = posix.uname()
    facts = {
        "format": FORMAT,
        "part": part,
        "version": sys.modules["make_metrics"].__version__,
        "python": sys.version.split()[0],
        "system": system.sysname,
        "machine": system.machine,
        "make": make[:_LIMIT_WORD].decode("ascii", "replace"),
        "directory": _text(posix.getcwdb()),
        "package": _text(__file__.rpartition("/hot/")[0].encode("utf-8", "surrogateescape")),
        "limits": limits(environ, above=above, name=name),
        "errors": _chain(error),
    }
    # The same failure may have another text each time, but has the same frames: the text is not in the file's name.
    constant = {**facts, "errors": [{**entry, "text": ""} for entry in facts["errors"]]}
    now_ns = time.time_ns()
    text = _json({**facts, "id": posix.urandom(16).hex(), "time_ns": now_ns}) + "\n"
    if len(text) <= LIMIT_BYTES:
        _write(state, b"%016x" % (int.from_bytes(_json(constant).encode(), "big") % _NAME_PRIME), text.encode(), now_ns)


def limits(environ: dict[bytes, bytes], *, above: bool, name: bytes = b"") -> "list[list[str]] | None":
    """The pairs of DO_NOT_TRACK and MAKE_METRICS in `environ` and, with `above`, in every make above this process.

    The makes above count as they were started: a makefile cannot lift what the developer has set. `name` is another
    name of make than make and gmake. None with `above` if no make is above, or the environment of one is unknown.
    """
    pairs = [_limit(environ)]
    if not above:
        return pairs
    from make_metrics.hot import procfs

    names, has_make, pid = (b"make", b"gmake", name), False, procfs.parent_pid()
    for _ in range(_LIMIT_PROCESSES):
        if procfs.program(pid) in names:
            environ_of_make = procfs.environment(pid)
            if not environ_of_make:
                return None
            has_make = True
            pairs.append(_limit(environ_of_make))
        pid = procfs.parent(pid)
        if pid < 2:
            break
    return [pair for at, pair in enumerate(pairs) if pair not in pairs[:at]] if has_make else None


def _limit(environ: dict[bytes, bytes]) -> list[str]:
    return [_text(environ.get(name, b""))[:_LIMIT_WORD] for name in (b"DO_NOT_TRACK", b"MAKE_METRICS")]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "backslashreplace")


def _chain(error: "BaseException | None") -> list[dict[str, object]]:
    """An error and its causes, the first cause first, each with its frames, the innermost frame last."""
    errors: list[dict[str, object]] = []
    while error is not None and len(errors) < _LIMIT_ERRORS:
        frames = []
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            frames.append([code.co_filename[:_LIMIT_PATH], trace.tb_lineno, code.co_qualname[:_LIMIT_WORD]])
            trace = trace.tb_next
        try:
            text = str(error)[:_LIMIT_MESSAGE]
        except Exception:
            text = ""
        errors.insert(0, {"type": type(error).__name__[:_LIMIT_WORD], "text": text, "frames": frames[-_LIMIT_FRAMES:]})
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return errors


def _json(value: object) -> str:
    """A value as JSON in ASCII. Loading the json module takes longer than all of this."""
    if isinstance(value, dict):
        return f"{{{', '.join([f'{_json(name)}: {_json(item)}' for name, item in value.items()])}}}"
    if isinstance(value, list):
        return f"[{', '.join([_json(item) for item in value])}]"
    if isinstance(value, str):
        characters = [char if " " <= char <= "~" and char not in '"\\' else _escaped(ord(char)) for char in value]
        return f'"{"".join(characters)}"'
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
    for path in (state, folder):
        if path is folder:
            try:
                posix.mkdir(folder, 0o700)
            except FileExistsError:
                pass
        status = posix.lstat(path)
        if status.st_mode & 0o170000 != 0o040000 or status.st_uid != posix.geteuid():
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
        is_complete = posix.write(fd, text) == len(text)
    finally:
        posix.close(fd)
    if is_complete:
        posix.utime(scratch, ns=(now_ns, now_ns))
        posix.rename(scratch, path)
    else:
        posix.unlink(scratch)


def _make_room(folder: bytes) -> None:
    """Remove the failures that were seen longest ago, until there is room for one more."""
    entries = []
    for name in posix.listdir(folder):
        if not name.endswith(SENT_SUFFIX):
            try:
                entries.append((posix.lstat(folder + b"/" + name).st_mtime_ns, name))
            except FileNotFoundError:
                pass  # another process made room
    for _, name in sorted(entries)[: max(0, len(entries) + 1 - LIMIT_FILES)]:
        for file in (name, name.removesuffix(ENTRY_SUFFIX) + SENT_SUFFIX):
            try:
                posix.unlink(folder + b"/" + file)
            except FileNotFoundError:
                pass
