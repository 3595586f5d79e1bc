"""A thousand generated lines through both shims: the same output, files, status, death and entry."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.shim_calls import PYTHON_SHIM, Make, Outcome, as_make, compiled, copied, shim_words

_PROGRAMS = ["echo", "printf %s\\n", "/bin/echo", "ls", "expr 1 +", "true", "false", "test -e", "cat", "env", "sleep 0"]
_MISSING = [
    "nothere",
    "./nothere",
    "/nowhere/at/all",
    "/",
    "/etc",
    "/etc/passwd",
    "''",
    "no such",
    "./unmarked",
    "unmarked",
]
_BUILTINS = [
    "cd /", "cd / && pwd", "exit 7", "exit 0", "set -e", ":", "type echo", "umask", "exec true", "unset PATH",
    "trap '' TERM", "read x", "export A=1", "command echo x", "times >/dev/null", "ulimit -c", "wait", "test x",
]  # fmt: skip
_COMPOUND = [
    "echo a; exit 3", "echo a && false", "echo 'a\\nb'", "A=1 env", "echo $$((1+1))", "echo a | cat", "(exit 9)",
    "echo out > out", "echo err >&2", "cat < /nowhere", "echo a >> out; cat out", "for i in 1 2; do echo $i; done",
    "true & wait", "echo `echo x`", "if true; then echo y; fi", "echo 'unfinished", 'echo "unfinished', "echo a\\",
    "echo a \\\n  b", "echo a\\\nb", "\\\n\techo", "cat <<x\nhere\nx", "echo a # b", "! true", "{ echo a; }", "",
    "  ", "'echo' x", "ec'h'o x", "\\echo x", "A=1", "echo A=1", "echo \\$HOME", "echo $HOME $PWD $SHLVL $_",
    "env -u _ env", "printf '%s' \"$0\" \"$@\"", "ls /proc/self/fd | wc -l",
    "cat /proc/self/stat | cut -d' ' -f5- >/dev/null",
    # posix_spawn(3) of the C library leaves its own two signals, 32 and 33, ignored in the child
    "grep -E '^Sig(Blk|Ign)' /proc/self/status | sed -E 's/(18|10|08)0000000/000000000/'",
]  # fmt: skip
_SIGNALS = ["TERM", "INT", "QUIT", "KILL", "HUP", "USR1", "SEGV", "PIPE", "ABRT", "XFSZ", "ALRM", "CHLD", "CONT", "URG"]
_ARGUMENTS = [
    "a",
    "''",
    "'a b'",
    "\\ ",
    "a\\\tb",
    "*",
    "'*'",
    '"a"',
    "a=b",
    "-n",
    "é",
    "\\\\",
    "'\\n'",
    "%s",
    "a:b",
    "~",
    "x" * 300,
]
_SOUP = "ab =-'\"\\\t$`#;&|()[]{}?*~!^<>.:%é\n"


@dataclass(frozen=True)
class Call:
    """One line, and the arguments that its shim gets."""

    line: str
    shell: tuple[str, ...]
    flags: tuple[str, ...]
    make: str
    target: str
    goal: str
    environment: str
    variables: tuple[tuple[str, str], ...]
    pipe: bool

    def run(self, make: Make, shim: tuple[str, ...]) -> Outcome:
        """The outcome through one of the shims."""
        (make.work / "unmarked").write_text("echo unmarked $0 $#\n")
        (make.work / "unmarked").chmod(0o755)
        words = shim_words(
            self.line, make.state, shell=self.shell, flags=self.flags, make=self.make, target=self.target,
            goal=self.goal, environment=self.environment,
        )  # fmt: skip
        env = make.environment(**dict(self.variables))
        outcome = make.run(shim, words, env=env, pipe=self.pipe, background=True)  # "echo &" may end after its line
        if set("|&") & set(self.line):  # the parts of a pipeline complain at once, even in the middle of a line
            outcome = replace(outcome, err=bytes(sorted(outcome.err)))
        return outcome


def _line(chance: random.Random) -> str:
    kind = chance.randrange(10)
    if kind < 3:
        return " ".join([chance.choice(_PROGRAMS), *chance.choices(_ARGUMENTS, k=chance.randrange(4))])
    if kind < 4:
        return " ".join([chance.choice(_MISSING), *chance.choices(_ARGUMENTS, k=chance.randrange(2))])
    if kind < 5:
        return chance.choice(_BUILTINS)
    if kind < 7:
        return chance.choice(_COMPOUND)
    if kind < 8:
        return f"kill -{chance.choice(_SIGNALS)} $$" + chance.choice(["", "; exit 4"])
    if kind < 9:
        return f"exit {chance.randrange(256)}"
    return chance.choice(["echo ", "", "printf "]) + "".join(chance.choices(_SOUP, k=chance.randrange(12)))


def _call(chance: random.Random) -> Call:
    version = chance.choice(["3.81", "3.81", "4.0", "4.2.1", "4.3", "4.3", "4.4", "4.4.1"])
    ifs = chance.choice("fffsaa" if version == "3.81" else "fffs")
    level = chance.choice(["0", "0", "0", "", "2"])
    variables = {"MAKELEVEL": chance.choice([str(int(level or 0) + 1)] * 9 + ["", "9"])}
    if chance.random() < 0.2:
        variables["PATH"] = chance.choice(
            ["", ":", "/nowhere:/bin", "/bin:/usr/bin:.", "/etc:/bin", ".:/usr/bin", "/root"]
        )
    name = chance.choice(["%20", "a/b", "-", "%C3%A9", "x.o", "a%25b", "t" * 200])
    return Call(
        line=_line(chance),
        shell=chance.choice(
            [("/bin/sh",)] * 6 + [("/bin/bash",), ("/bin/bash",), ("sh",), ("/bin/bash", "--norc"), ("nothere",)]
        ),
        flags=chance.choice(
            [("-c",)] * 7 + [("-ec",), ("-ec",), ("-eu", "-c"), ("-x",), ("-euo", "pipefail", "-c"), ()]
        ),
        make=f"{level}:{version}:{chance.choice(['make', 'gmake', 'a%20b'])}:{ifs}",
        target=chance.choice(["all"] * 8 + [name, ""]),
        goal=chance.choice(["", "all", name]),
        environment=chance.choice(["", "", "-/-/-/-", "+%2Ftmp/-/=/+7", "=/+a%20b/+%2Fx/-", "+/", "="]),
        variables=tuple(variables.items()),
        pipe=chance.random() < 0.2,
    )


@pytest.mark.one_in(2)
@pytest.mark.parametrize("part", range(10))
def test_a_thousand_generated_lines_are_the_same_through_both_shims(
    launchers: dict[str, Path], part: int, tmp_path: Path
) -> None:
    chance = random.Random(part)  # noqa: S311
    recorded = 0
    fast, sanitized, one_by_one = (
        compiled(launchers["compiled"]),
        compiled(launchers["sanitized"]),
        copied(tmp_path / "copy"),
    )
    with as_make(tmp_path) as make:
        for at in range(100):
            call = _call(chance)
            expected = call.run(make, tuple(PYTHON_SHIM))
            for shim in (fast, *([sanitized] if at % 5 == 0 else []), *([one_by_one] if at % 5 == 1 else [])):
                assert call.run(make, tuple(shim)) == expected, call
            recorded += len(expected.entries)
    assert recorded > 50
