"""Generated recipe lines: the shell's syntax, make's prefixes, and what a recipe can see of its surroundings."""

from __future__ import annotations

from random import Random

# Not generated, because plain make differs from itself with another name for the same shell, or because a process is
# between make and the shell (ci/approved-differences.toml has the reasons): $PPID, newlines in $(shell) and, under
# .ONESHELL, in quotes; a nested make with nothing but ":"; printing .SHELLFLAGS or .VARIABLES.
_WORDS = (
    "one", "two three", "'four  five'", '"six $$HOME"', "a=b", "x\\ y", "''", '""', "é", "*.c", "~", "[ab]", "-n",
    "$@", "$<", "$^", "$*", "$?", "$(@F)", "$(word 1,$^)", "100%", "a,b", "$(A)", "$(B)", "{x,y}", "#h", "\\#h",
)  # fmt: skip
_SIMPLE = (
    "echo", "printf '%s;'", "uname", "true", "false", "ls", "touch", "mkdir -p", "cp one.c", "cat input", "wc -l",
    "expr 1 + 1", "test -f", "no-such-program", "./no-such", "./one.c", "/bin/echo", "basename", "env echo",
    "sort input", "./tools/sh -c 'exit 3'", "sub", "type", "command echo", "exec echo", "export A=1", "cd sub",
    "set -x", "ulimit -n", "umask", "times", "wait", "read line", ":", ".", "exit 7", "test 1 -eq 2",
    "printenv a.b a-b 2x", "printenv CC_x86_64-linux", "printenv PWD OLDPWD SHLVL _",
)  # fmt: skip
_LINES = (
    "{0} && {1}", "{0} || {1}", "{0}; {1}", "{0} | cat", "{0} | {1} | wc -l", "({0}; {1})", "{{ {0}; {1}; }}",
    "{0} >$@.out", "{0} >>log 2>&1", "{0} 2>/dev/null", "{0} <input", "{0} &\\\n\twait",
    "if {0}; then {1}; else {0}; fi", "for i in 1 2 3; do echo $$i; {0}; done", "case $@ in a*) {0};; *) {1};; esac",
    'while read x; do echo "<$$x>"; done', 'x=`{0}`; echo "$$x"', "x=$$({0}); echo $$?",
    "f() {{ {0}; return 3; }}; f", "trap '{0}' EXIT; {1}", "set -e; {0}; {1}", "set +e; {0}; {1}", "! {0}",
    "cat <<E; {0}", "echo $$((1 + 2)) $${{A-unset}} $${{B:+set}}", "exec {0}", "eval '{0}'", "{0} # a comment",
    "# only a comment", "", "   ", "\\\n\t{0}", "{0} \\\n\t  two", "echo 'a\\\nb'", 'echo "a\\\nb"', "sh -c '{0}'",
    "env | sed -n 's/^\\([A-Z]*\\)=.*/\\1/p' | sort | tr '\\n' ' '", "env -i {0}", "A=2 {0}", "A=2; {0}",
    "echo 'unclosed", 'echo "unclosed', "if true; then {0}", ") {0}", "{0} &&", 'echo $$0 $$# "$$@" $$-',
    "echo $$PWD $${{OLDPWD-none}} $$SHLVL $${{_##*/}}", "ls /proc/self/fd | wc -l", "kill -TERM $$$$", "kill -9 $$$$",
    "kill -INT $$$$", "sh -c 'kill -SEGV $$$$'", "exit 200", "(exit 255)",
    "echo $$MAKELEVEL $$MAKEFLAGS '$(MAKEFLAGS)'", "$(info in $@){0}", "$(warning in $@)",
    "$(shell echo made by shell)", "echo $(shell {0} 2>&1)", "$(if $(A),{0})", "$(foreach i,1 2,echo $i;)",
    "$(foreach i,1 2,echo $i$(NEWLINE))", "$(CANNED)", "$(call F,{0})", "$(error stop in $@)", "$(eval A += x){0}",
    "touch $@", "mkdir -p $(@D); touch $@", "echo $(MAKE) $(MAKECMDGOALS) $(CURDIR)",
    "$(SHELL) -c 'echo through $$0'", "echo $(SHELL)", "echo '$(value SHELL)' $(origin SHELL)", "test -z '$(SHELL)'",
    "$(SHELL) ./tools/sh -c 'echo x'", "echo $$SHELL", "printf 'x\\n' >&2", "echo $(MAKEFILE_LIST)",
    "dd if=/dev/zero count=1 2>/dev/null | wc -c", "echo $$BASH_VERSION | cut -c 1", "[[ a == a ]] && {0}",
    "set -o pipefail; false | true", "echo $${{A@Q}}", "echo -e 'a\\tb'", "diff <(echo a) <(echo b)",
    "$(MAKE) -f nested.mk", "$(MAKE) -C sub -f ../nested.mk x=1 y", "$(MAKE) -f nested.mk -n", "make -f nested.mk y",
    "cd sub && $(MAKE) -f ../nested.mk z", "$(MAKE) --no-print-directory -f nested.mk no-such",
    "MAKEFLAGS= $(MAKE) -f nested.mk", "$(MAKE) SHELL=$(SHELL) -f nested.mk",
    "echo $(.DEFAULT_GOAL) $(origin .DEFAULT_GOAL)", "printf '%s\\n' $(sort $(.FEATURES)) | wc -l", "nohup true",
    "setsid {0}", "rm -f $@ log", "cat $^", "chmod 000 log", "ln -sf one.c link; ls -l link | wc -l",
    "trap '' TERM; {0}", "umask 077; touch private", "ulimit -c 0; {0}", "readlink /proc/self/cwd", "sleep 0.01",
    "{0}& wait", "cat", "read x; echo $$x", "head -n 1; {0}", "tr a-z A-Z <input",
    "printf '#!/bin/sh\\necho new script\\n' >s; chmod +x s; ./s", "test -t 1; echo $$?", "cmp one.c two.c",
    "nice echo nice",
)  # fmt: skip

_SIMPLE_SHARE = 0.35


def simple(random: Random) -> str:
    """A line with one command, that make may start without a shell."""
    words = random.choices(_WORDS, k=random.choice((0, 1, 1, 2, 3)))
    return " ".join([random.choice(_SIMPLE), *words])


def recipe_line(random: Random, prefix: str = "\t") -> str:
    """A recipe line, perhaps of several lines with a backslash at the end."""
    text = simple(random)
    if random.random() > _SIMPLE_SHARE:
        text = random.choice(_LINES).format(text, simple(random))
    marks = "".join(random.choices(("", "-", "@", "+", " "), weights=(10, 3, 5, 1, 1), k=random.choice((1, 1, 2))))
    return prefix + marks + text.replace("\n\t", f"\n{prefix}")
