"""What the fragment hands to the shim: words in front of the shell's own arguments.

    mm1 t:TARGET g:GOAL m:LEVEL:VERSION:MAKE:IFS h:STATE e:ENVIRONMENT COUNT SHELL... FLAGS... LINE

COUNT is the number of words of the makefile's SHELL, behind "+" if each line is to get its TRACEPARENT. IFS is `f` if
make itself would split simple lines, `a` if it is Apple's make 3.81, which does so with more shells, and `s` if a
changed IFS forbids that. STATE is the state directory; if it is empty, the environment names it. Behind a ":" it is
followed by what another line of this make has found out, for the compiled launcher (in_c/known_make.c).
ENVIRONMENT says what make would have passed on for the variables that the flags hook's intermediate shell changes, with
"/" between them; it is empty with the SHELL hook. Behind a fourth "/" follows what the target needs, as it goes into
the record (`hot.record_format`); fragments of earlier versions hand over nothing there. Texts are percent-encoded by
make (make_include/metrics.mk).
"""

from make_metrics.hot import record_format

PROTOCOL = b"mm1"
ANSWER = b"mm1 runs"  # to the protocol alone: the shim runs here
# Behind the protocol: what has the shell between make and the line changed in the environment? The answer goes on
# behind a "|", with "|" between its words: "+NAME=VALUE", encoded, for what make passed on, "-NAME" for what that shell
# invented. The shell hands it on in a variable.
ASKS_FOR_CHANGES = b"environment"
CHANGES = b"_make_metrics_changes"
# Once the compiled launcher runs a line, it shows this and make's pid in place of its words, and its encoded target as
# the name of a file in memory. `ps` is readable then, and a recipe's `pkill -f NAME` does not find the launcher.
TITLE = b"make-metrics: line of make "
TARGET_FILE = b"make-metrics target "
CHANGED_NAMES = (b"PWD", b"OLDPWD", b"_", b"SHLVL")
# Some shells export such a PATH where make has none: busybox; ksh and mksh; posh.
INVENTED_PATHS = (b"/sbin:/usr/sbin:/bin:/usr/bin", b"/usr/bin:/bin", b"/bin:/usr/bin")


class Arguments:
    """The words, decoded. `rest` is what follows the shell: flags and line, or any other arguments."""

    __slots__ = (
        "environment",
        "goal",
        "ifs",
        "level",
        "make",
        "needs",
        "numbers",
        "rest",
        "shell",
        "state",
        "target",
        "traced",
        "version",
    )

    def __init__(self, words: list[bytes]) -> None:
        """Raises ValueError or IndexError for words that a fragment of this protocol does not write."""
        if words[0] != PROTOCOL:
            raise ValueError("another protocol")
        level, version, make, self.ifs = words[3][2:].split(b":")
        count = int(words[6])  # shims of earlier versions take "+1" for 1 too
        self.traced = words[6][:1] == b"+"
        self.target = record_format.decode(words[1][2:])
        self.goal = record_format.decode(words[2][2:])
        self.level = int(level or b"0")
        self.version = version
        numbers = version.split(b".")
        self.numbers = int(numbers[0]), int(numbers[1])
        self.make = record_format.decode(make)
        self.state = record_format.decode(words[4][2:].partition(b":")[0])
        *environment, needs = words[5][2:].split(b"/", 4) if words[5].count(b"/") >= 4 else (words[5][2:], b"")
        self.environment = b"/".join(filter(None, environment)) and b"/".join(environment)
        self.needs = b"" if needs == b"-" or needs.split() != [needs] else needs
        self.shell = words[7 : 7 + count]
        self.rest = words[7 + count :]
        if not self.shell:
            raise ValueError("no shell")

    def restore_as_told(self, environ: dict[bytes, bytes]) -> bool:
        """Undo, in place, what the intermediate shell was told that it changed; whether it was.

        Raises ValueError for words that are not those of `changes`.
        """
        told = environ.get(CHANGES, b"")
        if not self.environment or told[:1] != b"|":
            return False
        del environ[CHANGES]
        for word in filter(None, told[1:].split(b"|")):
            name, _, value = record_format.decode(word[1:]).partition(b"=")
            if word[:1] == b"+":
                environ[name] = value
            elif word[:1] == b"-":
                environ.pop(name, None)
            else:
                raise ValueError("no change of the environment")
        return True

    def restore(self, environ: dict[bytes, bytes]) -> None:
        """Undo, in place, what the intermediate shell did to the variables in ENVIRONMENT.

        For each: `+value` set it, `.value` set it if it is there, `-` remove it, `=` leave it.
        """
        for name, word in zip(CHANGED_NAMES, self.environment.split(b"/"), strict=False):
            if word[:1] == b"+" or (word[:1] == b"." and name in environ):
                environ[name] = record_format.decode(word[1:])
            elif word[:1] == b"-":
                environ.pop(name, None)


def changes(before: dict[bytes, bytes], after: dict[bytes, bytes]) -> bytes:
    """The answer to ASKS_FOR_CHANGES, from the environment that the shell was started with, and the one it gives.

    Without the first, which is then empty, the answer says only that the shim runs.
    """
    if not before:
        return ANSWER
    words = [
        b"+" + record_format.encode(name + b"=" + value) for name, value in before.items() if after.get(name) != value
    ]
    words += [b"-" + record_format.encode(name) for name in after if name not in before]
    return ANSWER + b"|" + b"|".join(words)
