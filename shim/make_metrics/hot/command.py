"""Which command a recipe line is, and where its program is: as make itself decides it."""

import errno
import posix

from make_metrics.hot import procfs, split_words
from make_metrics.hot.arguments import Arguments

DEFAULT_SHELL = b"/bin/sh"  # it also runs scripts without "#!", as in make
BOURNE_SHELLS = (b"sh", b"bash", b"dash", b"ksh", b"rksh", b"zsh", b"ash")
APPLE_SHELLS = (DEFAULT_SHELL, b"/bin/bash", b"/bin/dash", b"/bin/zsh", b"/usr/local/bin/ash")
DEFAULT_PATH = b"/bin:/usr/bin"
EMULATORS = (b"valgrind", b"qemu-")  # how the names begin of programs that hide which program they run


def _is_command(words: list[bytes]) -> bool:
    """Whether a shell takes the last of its words for a command, as with `-c`, `-ceu` or `-ceuo pipefail`.

    Only asked for make 3.81, where `$(SHELL)` in a recipe names the shim. Later makes run it with flags and a line.
    `o` and bash's `O` take the next word. A word that is no option ends the options; a script, or words behind the
    command, are what a program passes that uses make's SHELL as a plain shell.
    """
    at, last, commanded = 0, len(words) - 1, False
    while at < last and words[at][:1] in (b"-", b"+"):
        word = words[at]
        at += 1
        if word in (b"-", b"--"):
            break
        if word[:2] != b"--":
            commanded = commanded or (word[:1] == b"-" and b"c" in word)
            at += word.count(b"o") + word.count(b"O")
    return commanded and at == last


def is_recipe_line(arguments: Arguments, environ: dict[bytes, bytes]) -> bool:
    """Whether make runs a recipe line: not `$(shell)`, and not a program that uses make's SHELL as a plain shell."""
    if not arguments.target or not (_is_command(arguments.rest) if arguments.numbers < (4, 0) else arguments.rest):
        return False
    if environ.get(b"MAKELEVEL") != b"%d" % (arguments.level + 1):
        return False
    if arguments.numbers < (4, 4):  # $(shell) has another MAKELEVEL
        return True
    try:
        fifo = posix.fstat(1).st_mode & 0o170000 == 0o010000
    except OSError:
        return True
    return not fifo or procfs.same_output(procfs.parent_pid()) is not False or _has_lost_make(arguments)


def _has_lost_make(arguments: Arguments) -> bool:
    """Whether our parent is no make, and somebody still reads our output: make was killed while we started.

    Only make itself reads what `$(shell)` writes.
    """
    program = procfs.program(procfs.parent_pid())
    if program in (b"make", b"gmake", arguments.make) or program.startswith(EMULATORS):
        return False
    import select  # only here, as it is rare

    output = select.poll()
    output.register(1, 0)
    return not output.poll(0)  # without a reader: POLLERR


def words_of(arguments: Arguments, *, recipe: bool) -> list[bytes]:
    """The command to execute: the words of a simple line, else the makefile's shell with its flags and the line."""
    rest = arguments.rest
    default = arguments.shell == [DEFAULT_SHELL] and arguments.ifs == b"f"
    of_apple = arguments.ifs == b"a" and len(arguments.shell) == 1 and arguments.shell[0] in APPLE_SHELLS
    if (default or of_apple) and len(rest) == 2 and rest[0] in (b"-c", b"-ec"):
        words = split_words.split(rest[1], arguments.numbers, newline_is_text=not recipe)
        if words is not None:
            return words
    return arguments.shell + rest


def starts_nothing(arguments: Arguments) -> bool:
    """Whether the line is ":" alone, for which make starts no shell (job.c, start_job_command)."""
    if len(arguments.shell) != 1 or len(arguments.rest) != 2 or arguments.rest[1] != b":":
        return False
    if arguments.numbers < (3, 82):
        return arguments.shell[0] == DEFAULT_SHELL and arguments.rest[0] == b"-c"
    return arguments.rest[0] in (b"-c", b"-ec") and arguments.shell[0].rpartition(b"/")[2] in BOURNE_SHELLS


def find_program(arguments: Arguments, name: bytes, environ: dict[bytes, bytes]) -> bytes:
    """Search PATH for a program; raises OSError with the errno of execvp(3)."""
    if b"/" in name or (b"PATH" not in environ and arguments.version == b"4.3"):  # without PATH 4.3 does not search
        return name
    missing = errno.ENOENT
    if not name:  # the line begins with an empty pair of quotes
        if arguments.numbers >= (4, 3) and procfs.imports(procfs.parent_pid(), b"posix_spawn"):
            from make_metrics.hot import exec_error  # only here, as it is rare

            missing = exec_error.empty_name_error(environ.get(b"PATH", DEFAULT_PATH))
        raise OSError(missing, posix.strerror(missing))
    for folder in environ.get(b"PATH", DEFAULT_PATH).split(b":"):
        path = folder + b"/" + name if folder else name
        try:
            regular = posix.stat(path).st_mode & 0o170000 == 0o100000
            # 4.3 takes the first executable, also a directory
            if (regular or arguments.version == b"4.3") and posix.access(path, posix.X_OK):
                return path
            missing = errno.EACCES
        except OSError as error:
            if error.errno == errno.EACCES:
                missing = errno.EACCES
    raise OSError(missing, posix.strerror(missing))
