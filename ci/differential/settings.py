"""Generated settings: SHELL and .SHELLFLAGS, exports, special targets, and make's options."""

from __future__ import annotations

from random import Random

# Values of SHELL. $(OLD) is the value before.
_SHELLS = (
    "/bin/sh", "/bin/bash", "bash", "sh", "/bin/dash", "dash", "/usr/bin/env bash", "/usr/bin/env sh", "/bin/bash -e",
    "bash -eu", "bash -o pipefail", "/bin/bash -euo pipefail", "bash -x", "bash --norc", "bash -l", "bash --login",
    "bash --posix -v", "sh -x", "/usr/bin/env -S bash -eu", "env PATH=$(PATH) sh", "env A=2 sh", "busybox sh", "zsh",
    "mksh", "ksh93", "ksh", "yash", "zsh -f", "./tools/sh", "$(CURDIR)/tools/sh", "/usr/bin/python3", "/usr/bin/perl",
    "/no/such/shell", "/bin/cat", "/bin/echo", "env", "/bin//sh", "nice sh", "time", "", "$(OLD)",
    "$(shell command -v bash)", "$(firstword $(wildcard /bin/bash /bin/sh))",
    "$(if $(filter a,$@),/bin/bash,/bin/sh)", "$(warning building $@)$(OLD)", "$(info with $<)/bin/sh",
    "$(eval N += x)/bin/bash", "$(shell echo expanded >>expanded)/bin/sh", "$(or $(MYSHELL),/bin/sh)", "/bin/sh#",
    "  /bin/sh  ", "'/bin/sh'", "/bin/s\\h",
)  # fmt: skip
_COMMON = (
    "/bin/bash", "bash", "/bin/sh", "/usr/bin/env bash", "bash -eu", "bash -o pipefail", "zsh", "$(OLD)",
    "./tools/sh",
)  # fmt: skip
_FLAGS = (
    "-c", "-ec", "-ce", "-eu -c", "-ceu", "-eu -o pipefail -c", "-ceuo pipefail", "-euxo pipefail -c", "-xc", "-e -c",
    "-vc", "-exc", "-O extglob -c", "--norc -c", "-uc --", "-e", "", "$(if $(filter a,$@),-ec,-c)",
    "$(info flags of $@)-c", "-c$(if $(B),u)", "-l -c", "+e -c", "-c -e", "-o errexit -c", "'-c'", "-cv",
)  # fmt: skip
_VALUES = (
    "1", "two words", "$(C)$(C)", "a;b", "'quoted'", "x y", "$$HOME", "é", "", "$(B)", "%", "\\", "a\\#b", "  lead",
)  # fmt: skip
_NAMES = (
    "A", "B", "C", "CFLAGS", "PWD", "HOME", "PATH_X", "IFS", "a.b", "a-b", "CC_x86_64-linux", "PS4", "OLDPWD", "_",
    "CDPATH", "LC_ALL", "LANG", "MAKEFLAGS_X", "BASH_ENV", "ENV", "SHLVL", "TMPDIR_X", "N", "2x",
    "größe",
)  # fmt: skip
_SPECIAL = (
    ".PHONY: all clean", ".PHONY: a b", ".SILENT:", ".SILENT: a", ".IGNORE:", ".IGNORE: b", ".ONESHELL:", ".POSIX:",
    ".SUFFIXES:", ".SUFFIXES: .c .o", ".PRECIOUS: %.o", ".INTERMEDIATE: one.o", ".SECONDARY:", ".DELETE_ON_ERROR:",
    ".NOTPARALLEL:", ".EXPORT_ALL_VARIABLES:", ".SECONDEXPANSION:", ".LOW_RESOLUTION_TIME: a", ".DEFAULT_GOAL := b",
    ".DEFAULT: ; @echo default $@", ".EXTRA_PREREQS = tick", "tick: ; @echo tick", ".EXTRA_PREREQS := one.c",
    "a: .EXTRA_PREREQS = tick", ".NOTINTERMEDIATE:", "VPATH = sub", "vpath %.in sub", ".LIBPATTERNS =",
    "MAKEFLAGS += -k", "MAKEFLAGS += -s", "MAKEFLAGS += --no-print-directory", "MAKEFLAGS += -r", "MAKEFLAGS += -w",
    "GNUMAKEFLAGS = -s", "undefine B", "export", "unexport", "METRICS_SKIP := b",
    "$(info parsed $(SHELL) $(origin SHELL) $(flavor SHELL))", "$(info $(.SHELLFLAGS))", "X := $(SHELL)\n$(info $X)",
    "X := $(shell echo $$0)\n$(info $X)", "X != echo bang; false\n$(info $X $(.SHELLSTATUS))",
    "ifeq ($(SHELL),/bin/sh)\nB = is sh\nendif", "$(info $(MAKEFILE_LIST) $(.DEFAULT_GOAL) $(MAKELEVEL))",
    "-include no-such.mk", "include made.mk\nmade.mk: ; echo 'M = made' >$@",
    "-include made2.mk\nmade2.mk:\n\t@echo making $@\n\techo 'M2 = made' >$@", "sinclude one.c",
    "-include $(wildcard *.none)", "MAKEFILE_LIST :=",
    "MAKEFILE_LIST := $(lastword $(MAKEFILE_LIST))", "MAKEFILE_LIST := $(filter-out %.d,$(MAKEFILE_LIST))",
    "define CANNED\n@echo canned $@\n-false\necho $(1)x\nendef",
    "define NEWLINE\n\n\nendef", "F = echo 'f($(1))' && $(1)", "$(eval e: ; @echo evaluated)",
    "$(foreach t,g h,$(eval $t: ; @echo each $$@))", "override B := overridden", "B ?= conditional", "A += more",
    "MAKE_X = $(MAKE)", "OLD := $(SHELL)", "$(shell touch sub/new)", "$(file >written,$(A))",
    "SHELL_X := not a shell", "SHELLCHECK = shellcheck", "# SHELL in a comment", "MAKESHELL := /bin/bash", "IFS := :",
    ".RECIPEPREFIX := >", "private B = private", "b: private A = own", "b: export A = exported", "%: B = everywhere",
    "NAME = a-b\nexport $(NAME) = computed", "define GIVE\nexport $1 = $2\nendef\n$(eval $(call GIVE,a.b,given))",
)  # fmt: skip
_OPTIONS = (
    "-k", "-i", "-s", "-n", "-q", "-t", "-B", "-w", "-r", "-R", "-e", "-S", "--no-print-directory", "--trace",
    "--warn-undefined-variables", "-W", "-o", "-C", "-f", "--eval", "-I", "-L", "--no-silent", "--shuffle=reverse",
    "-Otarget", "-Oline", "-Orecurse", "-l", "-Rr", "--debug=n", "-ks", "-ik", "--",
)  # fmt: skip
_WITH_VALUE = {
    "-W": "one.c",
    "-o": "a",
    "-C": ".",
    "-f": "Makefile",
    "--eval": "A := evaluated",
    "-I": "sub",
    "-l": "99",
}


def shell(random: Random) -> str:
    """An assignment of SHELL or .SHELLFLAGS, of make's or of one target."""
    name, values = random.choice((("SHELL", _SHELLS), ("SHELL", _SHELLS), (".SHELLFLAGS", _FLAGS)))
    value = random.choice(_COMMON if values is _SHELLS and random.random() < 0.5 else values)
    target = random.choice(("", "", "", "", "a: ", "b: ", "%.o: ", "all: ", "b: export "))
    operator = random.choice((":=", ":=", "=", "=", "?=", "+=", "::="))
    if random.random() < 0.08:
        return f"define {name}\n{value}\nendef"
    if name == "SHELL" and random.random() < 0.1:
        return random.choice(
            ("export SHELL", "unexport SHELL", "override SHELL := /bin/bash", "export SHELL := /bin/bash")
        )
    before = "OLD := $(SHELL)\n" if "OLD" in value else ""
    return f"{before}{target}{name} {operator} {value}"


def variable(random: Random) -> str:
    """An assignment of another variable, exported or not."""
    words = random.choice(("", "", "export ", "export ", "unexport ", "override ", "a: ", "b: export ", "all: "))
    name = random.choice(_NAMES)
    if words == "unexport ":
        return f"unexport {name}"
    return f"{words}{name} {random.choice(('=', ':=', '?=', '+='))} {random.choice(_VALUES)}"


def special(random: Random) -> str:
    """A special target, an include, a definition, or something that make does while it reads."""
    return random.choice(_SPECIAL)


def options(random: Random) -> list[str]:
    """Words for make in front of the goals."""
    words = []
    for option in random.choices(_OPTIONS, k=random.choice((0, 0, 0, 0, 1, 1, 2))):
        words += [option, _WITH_VALUE[option]] if option in _WITH_VALUE else [option]
    return words


def environment(random: Random) -> list[str]:
    """Variables in make's environment."""
    all_settings = (
        "SHELL=/bin/bash", "SHELL=/bin/zsh", "A=environment", "MAKEFLAGS=k", "MAKELEVEL=3", "LC_ALL=C",
        "LC_ALL=en_US.UTF-8", "SHELLOPTS=xtrace", "BASH_ENV=/dev/null", "ENV=/dev/null", "IFS=:", "a.b=dot",
        "BASH_FUNC_f%%=() { echo function; }", "LANG=", "PWD=/", "POSIXLY_CORRECT=1", "GNUMAKEFLAGS=-s", "CDPATH=sub",
        "CI=true", "TERM=dumb", "2x=digit", "SHLVL=7",
    )  # fmt: skip
    return random.sample(all_settings, k=random.choice((0, 0, 0, 0, 1, 2)))
