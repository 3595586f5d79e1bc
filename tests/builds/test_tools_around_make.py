"""Tools that start make, watch it, or change what it sees: the same output and status, and every target recorded once.

docs/platforms.md has the table with versions; tests of bear, faketime and others that preload a library are in
test_preloaded.py, those of editors and completion in tests/make_include/test_other_tools.py.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.programs import needs
from tests.support.project import Project

MAKEFILE = """
all: one sub
    @echo all
one:
    @echo one && :
    @test -d .
sub:
    @$(MAKE) --no-print-directory inner
inner:
    @echo inner
    -@exit 3
"""
TARGETS = {"all": 1, "one": 2, "sub": 1, "inner": 2}
# MAKE stands for the make, OUT for a file. A tool that writes its report to standard output writes it to OUT.
EMACS = """(progn (require 'compile) (setq compilation-always-kill t)
  (let* ((done nil) (compilation-finish-functions (list (lambda (_ end) (setq done end))))
         (buffer (compile "MAKE -k")))
    (while (not done) (accept-process-output nil 0.05))
    (with-current-buffer buffer (princ (buffer-substring-no-properties (point-min) (point-max))))))"""
TMUX = (
    "tmux -f /dev/null -L ours-$$ new-session -d 'MAKE >OUT.1 2>&1; echo $? >OUT.2; tmux -L ours-$$ wait-for -S end' "
    "\\; wait-for end; cat OUT.1 OUT.2; tmux -L ours-$$ kill-server 2>/dev/null; rm -f OUT.?"
)
TOOLS: dict[str, tuple[str, ...]] = {
    "strace": ("strace", "-f", "-qq", "-o", "OUT", "MAKE"),
    "script": ("script", "-qec", "MAKE", "/dev/null"),
    "time": ("/usr/bin/time", "-o", "OUT", "MAKE"),
    "timeout": ("timeout", "100", "MAKE"),
    "timeout --foreground": ("timeout", "--foreground", "100", "MAKE"),
    "setsid": ("setsid", "-w", "MAKE"),
    "nohup": ("nohup", "MAKE"),
    "nice": ("nice", "-n", "5", "MAKE"),
    "ionice": ("ionice", "-c", "3", "MAKE"),
    "stdbuf": ("stdbuf", "-oL", "MAKE"),
    "env -i": ("env", "-i", "PATH=PATHS", "MAKE_METRICS_HOME=HOME", "MAKE"),
    "su": ("su", "root", "-s", "/bin/sh", "-c", "MAKE"),
    "runuser": ("runuser", "-u", "root", "--", "MAKE"),
    "setpriv": ("setpriv", "--no-new-privs", "MAKE"),
    "prlimit": ("prlimit", "--nofile=200", "MAKE"),
    "flock": ("flock", "OUT", "MAKE"),
    "taskset": ("taskset", "1", "MAKE"),
    "chrt": ("chrt", "-o", "0", "MAKE"),
    "valgrind": ("valgrind", "-q", "--log-file=OUT", "MAKE"),
    "qemu": ("qemu-x86_64-static", "-cpu", "max", "MAKE"),
    "emacs": ("emacs", "-Q", "--batch", "--eval", EMACS),
    "tmux": ("sh", "-c", TMUX),
    "zsh": ("zsh", "-fc", "MAKE"),
    "busybox": ("busybox", "sh", "-c", "MAKE"),
    "python": ("python3", "-c", "import subprocess, sys; sys.exit(subprocess.call(['MAKE']))"),
    "perl": ("perl", "-e", "exit(system('MAKE') >> 8)"),
}


def _same(project: Project, text: str, words: list[str]) -> str:
    """Run a command with a plain makefile and with ours; fails if what it shows differs. The output, without pids."""
    outcomes = []
    for line in ("", None):
        project.write(text, line=line)
        done = project.run(words, input="")
        shown = re.sub(r"(started|finished) at .*", r"\1", done.stdout)  # Emacs says when
        outcomes.append((done.returncode, shown, done.stderr))
    assert outcomes[0] == outcomes[1]
    return outcomes[1][1]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_that_starts_make(each: Project, tmp_path: Path, tool: str) -> None:
    words = TOOLS[tool]
    needs({"tmux": "tmux"}.get(tool, words[0]))
    places = {"MAKE": each.make_path, "OUT": str(tmp_path / "out"), "PATHS": each.environment()["PATH"]}
    command = [
        re.sub(r"\b(MAKE|OUT|PATHS)\b(?!_)", lambda place: places[place[0]], word).replace(
            "MAKE_METRICS_HOME=HOME", f"MAKE_METRICS_HOME={each.home}"
        )
        for word in words
    ]
    shown = _same(each, MAKEFILE, command)
    assert shown.replace("\r", "").count("inner\n") == 1, shown
    events = each.recorded()
    assert {event.target: event.recipe_lines for event in events} == TARGETS
    assert len(events) == len(TARGETS)
    assert len({event.run for event in events}) == 1


def test_makes_that_one_tool_starts_at_once(each: Project) -> None:
    """`xargs -P` starts several makes: each is a run of its own."""
    needs("xargs")
    each.write("a b c d:\n\t@echo $@\n\t@test -d . && :\n")
    done = each.run(["xargs", "-P", "4", "-n", "1", each.make_path], input="a\nb\nc\nd\n")
    assert (done.returncode, done.stderr, sorted(done.stdout.split())) == (0, "", ["a", "b", "c", "d"])
    assert sorted((event.target, event.recipe_lines) for event in each.recorded()) == [
        ("a", 2), ("b", 2), ("c", 2), ("d", 2)
    ]  # fmt: skip
    assert len(json.loads(each.cli("runs", "--json").stdout)) == 4


@pytest.mark.parametrize(
    "options",
    [
        "--dry-run --always-make --keep-going --print-directory",  # Makefile Tools of VS Code
        "-Bnkw",  # compiledb
        "-pRrq",
        "-npq",
        "--print-data-base --question",
    ],
)
def test_tools_that_read_what_make_would_do(each: Project, options: str) -> None:
    """They run make without recipes, and read its output: the commands are the makefile's, and nothing is recorded."""
    text = "%.o: %.c\n\tcc -c $< -o $@\nall: a.o b.o\n\tcc -o app $^ && :\na.c b.c: ; touch $@\n"
    outputs = []
    for line in ("", None):
        each.write(text, line=line)
        done = each.make(*options.split())
        shown = done.stdout if "p" not in options.replace("keep-going", "").replace("print-directory", "") else ""
        outputs.append((done.returncode, done.stderr, re.sub(r"^# .*", "", shown)))
    assert outputs[0] == outputs[1]
    assert not each.records()
