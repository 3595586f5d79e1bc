"""`make-metrics env`: MAKEFILES names the fragment, and make reads it before every makefile."""

from __future__ import annotations

import shutil

import pytest

from make_metrics import cli
from make_metrics.files.paths import Paths
from tests.support.project import Project


def variables(project: Project, **more: str) -> dict[str, str]:
    """The environment that the printed line gives, evaluated by sh."""
    done = project.cli("env")
    assert (done.returncode, done.stderr) == (0, "")
    read = project.run(["sh", "-c", f'{done.stdout}\nprintf %s "$MAKEFILES"'])
    return project.environment(MAKEFILES=read.stdout, **more)


def both(project: Project, *words: str, **more: str) -> None:
    """make says and does the same with and without the variable."""
    plain = project.make(*words, env=project.environment(**more))
    assert not project.records()
    ours = project.make(*words, env=variables(project, **more))
    assert (ours.stdout, ours.stderr, ours.returncode) == (plain.stdout, plain.stderr, plain.returncode)


def test_a_recursive_tree_is_measured_to_its_leaves(each: Project) -> None:
    each.write("all: one\n\t@$(MAKE) -C sub\none: ; @echo one; :\n", line="")
    each.write("all:\n\t@echo sub\n\t@$(MAKE) -C below\n", "sub/Makefile", line="")
    each.write("leaf:\n\t@echo leaf\n", "sub/below/Makefile", line="")
    both(each)
    assert sorted((event.target, event.make_level) for event in each.recorded()) == [
        ("all", 0), ("all", 1), ("leaf", 2), ("one", 0)
    ]  # fmt: skip


def test_a_cmake_tree_is_measured_without_an_edit(project: Project) -> None:
    if not shutil.which("cmake") or not shutil.which("cc"):
        pytest.skip("no cmake or no C compiler here")
    folder = project.folder
    (folder / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(tree C)\nadd_library(part STATIC a.c)\n"
        "add_executable(whole main.c)\ntarget_link_libraries(whole part)\n"
    )
    (folder / "a.c").write_text("int a(void) { return 0; }\n")
    (folder / "main.c").write_text("int a(void);\nint main(void) { return a(); }\n")
    outputs = []
    for name, env in (("plain", project.environment()), ("ours", variables(project))):
        build = folder / name
        made = project.run(["cmake", "-S", str(folder), "-B", str(build), "-G", "Unix Makefiles"], env=env)
        assert made.returncode == 0
        for path in project.records():
            path.unlink()  # of the checks of the compiler, which are makes too
        done = project.make("-C", str(build), env=env)
        outputs.append((done.returncode, done.stderr, done.stdout.replace(str(build), "BUILD")))
    assert outputs[0] == outputs[1]
    targets = {event.target for event in project.recorded()}
    assert {"CMakeFiles/part.dir/a.c.o", "CMakeFiles/whole.dir/main.c.o", "libpart.a", "whole"} <= targets


MAKEFILES = {
    "list": "all: ; @echo '$(MAKEFILE_LIST)' '$(lastword $(MAKEFILE_LIST))' $(words $(MAKEFILE_LIST)); :\n",
    "goal": "ifneq ($(.DEFAULT_GOAL),)\n$(error there is one)\nendif\nfirst: ; @echo $@ $(.DEFAULT_GOAL); :\n",
    "shell": "all: ; @echo $(SHELL) $(origin SHELL) $${BASH_VERSION:+bash}; :\nSHELL := /bin/bash\n",
    "shell first": "X := $(SHELL) $(value SHELL)\nSHELL = /bin/bash\nall: ; @echo $(X) $(SHELL); :\n",
    "shell added": "SHELL += -e\nall: ; @false; echo no\n",
    "flags": ".SHELLFLAGS := -euc\nall: ; @false; echo no\n",
    "flags added": ".SHELLFLAGS += -e\nall: ; @false; echo no\n",
    "one shell": ".ONESHELL:\nall:\n\t@x=1\n\techo $$x\n",
    "posix": ".POSIX:\nall:\n\t@false; echo no\n",
    "anything": "%: ; @echo making $@\nall: ; @echo all; :\nMakefile: ;\n",
    "default": "all: other\n.DEFAULT: ; @echo default $@; :\nMakefile: ;\n",
    "exported": "export\nall: ; @env | grep -i metrics.mk | grep -v ^MAKEFILES=; :\n",
    "fails": "all: ; @exit 3\n",
    "none": "",
    "undefined": "MAKEFLAGS += --warn-undefined-variables\nall: ; @echo all; :\n",
}


@pytest.mark.parametrize("name", MAKEFILES)
def test_read_before_the_makefile_it_changes_nothing(each: Project, name: str) -> None:
    each.write(MAKEFILES[name], line="")
    both(each)


def test_the_include_line_may_be_there_too(each: Project) -> None:
    each.write("all: ; @echo '$(MAKEFILE_LIST)'; :\n")
    done = each.make(env=variables(each))
    assert (done.stdout.strip(), done.stderr) == ("Makefile", "")
    (record,) = each.records()
    assert record.read_text().count("\nL ") == 1


def test_what_the_variable_names_already_stays(
    paths: Paths, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    paths.fragment.parent.mkdir(parents=True, exist_ok=True)
    paths.fragment.touch()
    monkeypatch.setenv("MAKEFILES", "/own.mk")
    assert cli.main(["env"]) == 0
    line = capsys.readouterr().out
    assert line == f"export MAKEFILES='{paths.fragment} /own.mk'\n"
    monkeypatch.setenv("MAKEFILES", f"{paths.fragment} /own.mk")
    assert cli.main(["env"]) == 0
    assert capsys.readouterr().out == line


def test_before_set_up_it_says_what_to_do(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    assert not paths.fragment.exists()
    assert cli.main(["env"]) != 0
    output = capsys.readouterr()
    assert output.out == ""
    assert "make-metrics setup" in output.err
