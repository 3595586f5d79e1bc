"""What the fragment hands over to the shim, as words in front of the shell's own arguments.

    mm1 t:TARGET g:GOAL m:LEVEL:VERSION:MAKE:IFS h:STATE e:ENVIRONMENT COUNT SHELL... FLAGS... LINE

COUNT is the number of words of the makefile's own SHELL. IFS is `f` if make would split simple lines itself, `s` if a
changed IFS keeps it from that. STATE is the state directory, empty to have it found from the environment. ENVIRONMENT
tells, for variables that the flags hook's intermediate shell changes, what make would have passed on.
Texts are percent-encoded by make itself (see make_include/metrics.mk).
"""

from make_metrics.hot import record_format

PROTOCOL = b"mm1"
_CHANGED = (b"PWD", b"OLDPWD", b"_", b"SHLVL")


class Arguments:
    """The words, decoded. `rest` is what follows the shell: flags and line, or any other arguments."""

    __slots__ = ("environment", "goal", "ifs", "level", "make", "rest", "shell", "state", "target", "version")

    def __init__(self, words: list[bytes]) -> None:
        """Raises ValueError or IndexError for words that no fragment of this protocol hands over."""
        if words[0] != PROTOCOL:
            raise ValueError("another protocol")
        level, version, make, self.ifs = words[3][2:].split(b":")
        count = int(words[6])
        self.target = record_format.decode(words[1][2:])
        self.goal = record_format.decode(words[2][2:])
        self.level = int(level or b"0")
        self.version = version
        self.make = record_format.decode(make)
        self.state = record_format.decode(words[4][2:])
        self.environment = words[5][2:]
        self.shell = words[7 : 7 + count]
        self.rest = words[7 + count :]
        if not self.shell:
            raise ValueError("no shell")

    def old_make(self) -> bool:
        """Whether make is older than 4.4, whose `$(shell)` and messages differ."""
        numbers = self.version.split(b".")
        return (int(numbers[0]), int(numbers[1])) < (4, 4)

    def repair(self, environ: dict[bytes, bytes]) -> None:
        """Put back, in place, what an intermediate shell changed: for each name `+value`, `.value` if it is there,
        `-` unset, `=` leave."""
        for name, said in zip(_CHANGED, self.environment.split(b"/"), strict=False):
            if said[:1] == b"+" or (said[:1] == b"." and name in environ):
                environ[name] = record_format.decode(said[1:])
            elif said[:1] == b"-":
                environ.pop(name, None)
