"""Which hook a makefile gets: the SHELL hook wherever nothing in it could show SHELL, else the flags hook."""

from __future__ import annotations

import os
import threading

import pytest

from tests.support.project import Project

HARMLESS = [
    "all: ; @true\n",
    "SHELL := /bin/bash\nall: ; @true\n",
    "SHELL = bash\nall: ; @true\n",
    "SHELL::=/bin/sh\nall: ; @true\n",
    "  SHELL ?= /bin/bash\nall: ; @true\n",
    "ifeq (1,1)\n\tSHELL := /bin/bash\nendif\nall: ; @true\n",
    "SHELL=/usr/bin/env bash\n.SHELLFLAGS = -euo pipefail -c\nall: ; @true\n",
    "# the SHELL is $$SHELL\nall: ; @true # SHELL too\n",
    "# SHELL and SHELL and SHELL \\\n SHELL\nall:\n\t@true\n",
    "# all of $(SHELLS), ${SHELL_PATH}\nall: ; @true\n",
    "SHELLCHECK := x\nCONFIG_SHELL=/bin/x\nall: ; @echo $(SHELLCHECK) $(CONFIG_SHELL) $(.SHELLSTATUS)\n",
    "all:\n\t@echo $$SHELL\n\tSHELL=/bin/bash true\n\texport SHELL=/bin/sh; true\n",
    "all:\n\t@echo the SHELL $(MAKE_VERSION)\n",
    "all: ; @echo $(.SHELLFLAGS)\n",
    "export\nall: ; @true\n",
    "BASH := bash\nSHELL = $(BASH)\nall: ; @true\n",
]
USES = [
    "all: ; @echo $(SHELL)\n",
    "all:\n\t@echo ${SHELL}\n",
    "all:\n\t@echo $${SHELL}\n",
    "X := a \\\n $(SHELL)\nall: ; @true\n",
    "E :=\ndefine RECIPE\n# $(SHELL$(E)) ${SHELL:h=H}\nendef\nall:\n\t@$(RECIPE)\n",
    "X := $(value SHELL)\nall: ; @true\n",
    "X := $(origin SHELL)\nall: ; @true\n",
    "NAME := SHELL\nall: ; @echo $($(NAME))\n",
    "S := S\nall: ; @echo $($(S)HELL) $($${S}HELL)\n",
    "all: ; @echo $(if $(.VARIABLES),some)\n",
    "export SHELL\nall: ; @true\n",
    "export SHELL := /bin/bash\nall: ; @true\n",
    "override SHELL := /bin/bash\nall: ; @true\n",
    "define SHELL\n/bin/bash\nendef\nall: ; @true\n",
    "all: SHELL := /bin/bash\nall: ; @true\n",
    "%: SHELL = /bin/bash\nall: ; @true\n",
    "define RECIPE\n# $(SHELL)\nendef\nall:\n\t@$(RECIPE)\n",
    "SHELL := /bin/bash\nexport\nall: ; @true\n",
    "SHELL := /bin/bash\nexport # all\nall: ; @true\n",
    "SHELL := /bin/bash\n.EXPORT_ALL_VARIABLES:\nall: ; @true\n",
    ".ONESHELL:\nall: ; @true\n",
    "SHELL := /bin/bash\n.ONESHELL:\nall: ; @true\n",
    "X := \\#SHELL\nall: ; @true\n",
    "SHELL: ; @true\nall: ; @true\n",
]


def hook(project: Project, text: str) -> str:
    path = project.write(text)
    path.write_text(f"{path.read_text()}$(info hook=$(.metrics.hook))\n")
    done = project.make("-s", "all")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()[0]


@pytest.mark.parametrize("text", HARMLESS)
def test_a_makefile_that_cannot_show_shell_has_the_shell_hook(each: Project, text: str) -> None:
    assert hook(each, text) == "hook=shell"


@pytest.mark.parametrize("text", USES)
def test_a_makefile_that_may_show_shell_has_the_flags_hook(each: Project, text: str) -> None:
    assert hook(each, text) == "hook=flags"


@pytest.mark.parametrize("shell", ["/usr/bin/python3", "/bin/bash --norc -x", "/usr/bin/env -S bash -eu", "./tools/sh"])
def test_any_shell_is_measured_where_it_cannot_be_seen(each: Project, shell: str) -> None:
    tool = each.folder / "tools/sh"
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\necho started\nexec /bin/sh "$@"\n')
    tool.chmod(0o755)
    line = "print('built')" if "python" in shell else "echo built; true"
    each.write(f"SHELL := {shell}\nall:\n\t@{line}\n")
    plain = each.make("-f", str(each.write(f"SHELL := {shell}\nall:\n\t@{line}\n", "plain.mk", line="")), "all")
    ours = each.make("all")
    assert (ours.stdout, ours.returncode) == (plain.stdout, plain.returncode)
    assert ours.stderr.replace("Makefile", "plain.mk") == plain.stderr
    assert each.events()["all"]["recipe_lines"] == 1


def test_the_command_line_may_use_shell(each: Project) -> None:
    path = each.write("all: ; @echo $(X)\n")
    path.write_text(f"{path.read_text()}$(info hook=$(.metrics.hook))\n")
    assert each.make("-s", "all", "X=$(SHELL)").stdout == "hook=flags\n/bin/sh\n"


def test_dry_modes_record_nothing(each: Project) -> None:
    """Make runs no line then, and each line that it only prints would cost as much as one that it runs."""
    path = each.write("all: ; @echo built; true\n")
    path.write_text(f"{path.read_text()}$(info hook=$(value .metrics.hook))\n")
    for option, printed in (("-n", "echo built; true\n"), ("-q", ""), ("-nk", "echo built; true\n")):
        assert each.make("-s", option, "all").stdout == f"hook=\n{printed}"


@pytest.mark.parametrize("words", [(), ("-n",), ("-pn",), ("-j2",)], ids=" ".join)
@pytest.mark.parametrize("name", ["pipe", "Makefile.pipe", "rules.mk", "GNUmakefile"])
def test_a_makefile_that_is_a_named_pipe_is_read_once(project: Project, name: str, words: tuple[str, ...]) -> None:
    text = project.write("all: ; @echo made\n").read_text()
    pipe = project.folder / name
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(text,))
    writer.start()
    done = project.make(*(() if name == "GNUmakefile" else ("-f", name)), "all", *words)
    writer.join()
    assert (done.returncode, done.stderr) == (0, "")
    assert "made" in done.stdout


def test_a_named_pipe_that_includes_the_line_is_read_once(project: Project) -> None:
    """Its name is a usual one, and it is not make's first makefile. The job server of 4.4 is a named pipe too."""
    pipe = project.folder / "line.mk"
    text = project.write("all: ; @echo made; true\n").read_text()
    project.write("include line.mk\n", line="")
    project.write("sub: ; +@$(MAKE) -f Makefile all\n", "above.mk", line="")
    os.mkfifo(pipe)
    for words in (("all",), ("-j2", "-f", "above.mk", "sub", "--no-print-directory")):
        writer = threading.Thread(target=pipe.write_text, args=(text,))
        writer.start()
        done = project.make(*words)
        writer.join()
        assert (done.returncode, done.stdout, done.stderr) == (0, "made\n", "")


@pytest.mark.parametrize("words", [(), ("-pn",)], ids=" ".join)
@pytest.mark.parametrize("line", ["include pipe\n", "include ./pipe\n"])
def test_a_named_pipe_that_a_makefile_includes_is_read_once(
    project: Project, line: str, words: tuple[str, ...]
) -> None:
    project.write(f"{line}all: ; @echo $(WORD); true\n")
    pipe = project.folder / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("WORD := made\n",))
    writer.start()
    done = project.make("all", *words)
    writer.join()
    assert (done.returncode, done.stderr) == (0, "")
    assert "made" in done.stdout


def test_a_make_below_one_with_output_sync_has_the_hook_that_it_would_have_alone(each: Project) -> None:
    """It has the file open by which makes take turns to print, and reads none but its own makefile."""
    each.write("all: ; +@$(MAKE) -s -f below.mk\n", line="")
    below = each.write("all: ; @true\n", "below.mk")
    below.write_text(f"{below.read_text()}$(info hook=$(.metrics.hook))\n")
    assert each.make("-Oline", "-j2", "all").stdout == "hook=shell\n"


@pytest.mark.parametrize("name", ["config.mk", ".config", "Makefile.inc", "sub/Kbuild"])
def test_an_included_files_usual_name_tells_that_it_is_a_file(project: Project, name: str) -> None:
    (project.folder / "sub").mkdir()
    (project.folder / name).write_text("WORD := made\n")
    assert hook(project, f"include {name}\nall: ; @echo $(WORD)\n") == "hook=shell"


@pytest.mark.parametrize("name", ["Makefile", "GNUmakefile.linux", "a.mk", "debian/rules"])
def test_a_makefiles_usual_name_tells_that_it_is_a_file(project: Project, name: str) -> None:
    text = project.write("all: ; @true\n").read_text()
    path = project.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{text}$(info hook=$(.metrics.hook))\n")
    assert project.make("-s", "-f", name, "all").stdout == "hook=shell\n"


@pytest.mark.parametrize("word", ["-n", "-q", "-t"])
def test_what_a_dry_run_prints_is_the_recipe_of_the_build(project: Project, word: str) -> None:
    """Plain make with .ONESHELL prints, and runs, what METRICS_ONESHELL does."""
    recipe = "all:\n\t+@echo one\n\techo $@ in $$$$ >>pids\n"
    (project.folder / "plain.mk").write_text(f".SHELLFLAGS := -ec\n.ONESHELL:\n{recipe}")
    project.write(f"METRICS_ONESHELL := 1\n{recipe}")
    plain, ours = project.make(word, "-f", "plain.mk"), project.make(word)
    assert (ours.stdout, ours.stderr, ours.returncode) == (plain.stdout, plain.stderr, plain.returncode)


def test_each_line_of_the_flags_hook_is_decided_by_its_own_shell(each: Project) -> None:
    """What was found out for one line is not taken for another target's shell, options or path."""
    tool = each.folder / "tools" / "sh"
    each.write(
        "X := $(SHELL)\nSAID = $(if $(findstring mm1,$(.SHELLFLAGS)),measured,left)\n"
        "all: a own b traced c options d path e ; @:\n"
        "a b c d e: ; @echo $@ $(SAID)\n"
        f"own: SHELL := {tool}\n"
        "traced: SHELL := /bin/sh -x\n"
        "options: export SHELLOPTS := x\n"
        f"path: PATH := {tool.parent}\npath: SHELL := sh\n"
        "own traced options path: ; @echo $@ $(SAID)\n"
    )
    tool.parent.mkdir()
    tool.write_text('#!/bin/sh\nexec /bin/sh "$@"\n')
    tool.chmod(0o755)
    done, plain = each.make("-s", "all"), each.make("-s", "all", env=each.environment(MAKE_METRICS="off"))
    assert done.returncode == plain.returncode == 0
    said = dict(line.split() for line in done.stdout.splitlines())
    expected = dict.fromkeys("abcde", "measured") | {"own": "left", "traced": "measured", "path": "left"}
    assert {name: word for name, word in said.items() if name != "options"} == expected
    assert said["options"] == "left" or not (each.folder / "/bin/bash").samefile("/bin/sh")
    assert done.stdout.replace("measured", "left") == plain.stdout
    assert done.stderr.replace("measured", "left").count("echo") == plain.stderr.count("echo")


@pytest.mark.parametrize("added", ["-c", "$(if $(filter a,$@),-ec,-c)", "$(F)", "-e -c"])
@pytest.mark.parametrize("operator", ["+=", "="])
def test_a_targets_own_flags_split_a_line_as_make_does(each: Project, operator: str, added: str) -> None:
    """What a shell says of a missing program is not what make says. From 4.4 make takes what "+=" adds alone."""
    text = f"F = -c\nall: .SHELLFLAGS {operator} {added}\nall: a\na:\n\t-@nothing here\n\t-@nothing here; true\n"
    each.write(text, line="")
    plain = each.make()
    each.write(text)
    done = each.make()
    assert (done.stdout, done.stderr, done.returncode) == (plain.stdout, plain.stderr, plain.returncode)
    assert {event.target: event.recipe_lines for event in each.recorded()} == {"a": 2, "all": 0}
