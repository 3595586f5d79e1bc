"""Where nothing is unusual, most of the fragment waits for a make's first recipe line; builds stay the same."""

from __future__ import annotations

import re
import shutil
from urllib.parse import unquote

import pytest

from make_metrics.files.paths import Paths
from make_metrics.setup import fragment
from tests.support.project import ROOT, Project

LINES = "all: a b ; @echo $@\na b: ; @echo $@; true\n"
# Whether the parts that a line needs have been read.
ASKS = "$(info [$(if $(value .metrics.python),at once,waits)])\n"


def read(project: Project, text: str, *words: str, name: str = "Makefile", **more: str) -> str:
    """What a makefile asks behind the include line, which must be the first line that make prints."""
    path = project.write(text, name)
    path.write_text(path.read_text() + ASKS)
    done = project.make(*words, env=project.environment(**more))
    assert done.stderr == ""
    return done.stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("words", "more"),
    [
        ((), {}), (("all",), {}), (("-j3",), {}), (("-s", "-k"), {}), (("X=1",), {}), (("-R", "-r"), {}), (("-B",), {}),
        (("--warn-undefined-variables",), {}), ((), {"MAKEFLAGS": "k"}), ((), {"XDG_DATA_HOME": "/x"}),
    ],
)  # fmt: skip
def test_a_usual_make_waits(each: Project, words: tuple[str, ...], more: dict[str, str]) -> None:
    assert read(each, LINES, *words, **more) == "[waits]"
    assert sorted(event.target for event in each.recorded()) == ["a", "all", "b"]
    (goal,) = [event for event in each.recorded() if event.goal]
    assert goal.target == "all"


@pytest.mark.parametrize(
    "text",
    [
        "export\n",
        ".POSIX:\n",
        ".SECONDEXPANSION:\n",
        "SHEL := x\n",
        "include sub.mk x.d\n",
        ".RECIPEPREFIX := >\n.x: ;\n",
        "SHELL := /bin/sh\n",
        "SHELL := /bin/bash\n",
        "SHELL = bash\n.SHELLFLAGS := -eu -o pipefail -c\n",
        "SHELL := /usr/bin/env bash\n",
        "SHELL := $(shell command -v bash)\n",
        "SHELL := /bin/bash\ninclude sub.mk x.d\n",
        "SHELLCHECK := x\nX = $(SHELLCHECK)\n",
        "# what SHELL says\n",
        "X = $(MAKEFILE_LIST)\n",
        "X := $(lastword ${MAKEFILE_LIST})\n",
    ],
)
def test_a_usual_makefile_waits(each: Project, text: str) -> None:
    for name in ("sub.mk", "x.d"):
        (each.folder / name).write_text("X := 1\n")
    lines = LINES if "PREFIX" not in text else LINES.replace("\n\t", "\n>")
    assert read(each, text + lines, "all") == "[waits]"
    assert len(each.recorded()) == 3


@pytest.mark.parametrize(
    "text",
    [
        "X = $(SHELL)\n", "X = $(.VARIABLES)\n", "X = $(value SHELL)\n", "export SHELL\n", "include uses.mk\n",
        "a: SHELL := bash\n",
        "SHELL = $(X)\nX := /bin/sh\n", "SHELL := /bin/sh # as usual\n", "SHELL := bash\nexport\n",
        "SHELL := bash\n.ONESHELL:\n", "X = $(origin MAKEFILE_LIST)\n", "SHELL := bash\nX = $(SHELL)\n",
        "METRICS_SKIP := x\n", "METRICS_TRACEPARENT := 1\n", "METRICS_ONESHELL := 1\n", "MAKE_VERSION := 4.3\n",
        "MAKELEVEL := 0\n", "MAKE_COMMAND := make\n", "MAKE_HOST := x86_64-pc-linux-gnu\n",
        "MAKEFILE_LIST = Makefile\n", "LD_PRELOAD :=\n",
        "S := S\nX = $($(S)HELL)\n", "include other\n", ".EXTRA_PREREQS := Makefile\n",
    ],
)  # fmt: skip
def test_what_a_makefile_may_notice_is_decided_at_once(each: Project, text: str) -> None:
    (each.folder / "uses.mk").write_text("X = $(origin SHELL)\n")
    (each.folder / "other").write_text("X = 1\n")
    assert read(each, text + LINES, "all") == "[at once]"


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (("a", "b"), {}), (("X=$(SHELL)",), {}), (("SHELL=/bin/sh",), {}), (("MAKE_VERSION=4.3",), {}),
        (("--eval=X = $(SHELL)",), {}), ((), {"LD_PRELOAD": ""}), (("-e",), {"MAKELEVEL": "0"}),
    ],
)  # fmt: skip
def test_what_a_command_line_asks_for_is_decided_at_once(
    each: Project, words: tuple[str, ...], more: dict[str, str]
) -> None:
    said = read(each, LINES, *words, **more)
    assert said == ("[waits]" if more == {"LD_PRELOAD": ""} else "[at once]")


def test_a_make_in_ci_decides_at_once(each: Project) -> None:
    path = each.write(LINES)
    path.write_text(path.read_text() + "$(info [$(.metrics.inert)])\n")
    for name in ("CI", "JENKINS_URL", "TF_BUILD"):
        assert "ci" in each.make("-s", env=each.environment(**{name: "1"})).stdout.splitlines()[0]
    assert each.records() == []


@pytest.mark.parametrize("name", ["other.mk", "Makefile.linux"])
def test_a_makefile_of_another_name_is_decided_at_once(each: Project, name: str) -> None:
    assert read(each, LINES, "-f", name, "all", name=name) == "[at once]"


def test_a_make_below_another_waits_too_also_with_its_job_server(each: Project) -> None:
    sub = each.write("all: ; @echo below; true\n", "sub/Makefile")
    sub.write_text(sub.read_text() + ASKS)
    each.write("all: ; +@$(MAKE) --no-print-directory -C sub\n")
    for words in ((), ("-j2",)):
        assert each.make(*words).stdout == "[waits]\nbelow\n"


# Each target gives itself what would mislead the parts that wait.
MISLEADING = """\
all: a b ; @echo $@
a b: ; @echo $@; true
a: MAKE_VERSION = 3.81
a: MAKELEVEL = 7
a: MAKE_COMMAND = other
a: MAKE_HOST = arm-apple-darwin
a: MAKECMDGOALS = x y
a: MAKE_METRICS = off
a: HOME = /nowhere
a: XDG_STATE_HOME = /nowhere
a: METRICS_SKIP = %
a: METRICS_TRACEPARENT = 1
a: CI = 1
"""


@pytest.mark.parametrize("words", [(), ("all",), ("-j4",)], ids=" ".join)
def test_what_the_first_target_gives_itself_misleads_nobody(each: Project, words: tuple[str, ...]) -> None:
    each.write(MISLEADING, line="")
    plain = each.make(*words)
    each.write(MISLEADING)
    done = each.make(*words)
    printed = [(one.returncode, sorted(one.stdout.splitlines()), one.stderr) for one in (plain, done)]
    assert printed[1] == printed[0]
    (record,) = each.records()
    assert b"3.81" not in record.read_bytes()
    assert {name: event["goal"] for name, event in each.events().items()} == {"a": False, "all": True, "b": False}


def test_the_first_target_loses_nobodys_events_but_its_own(each: Project) -> None:
    """It exports a variable that the shim reads too."""
    each.write("all: a b ; @echo $@\na b: ; @echo $@; true\na: MAKE_METRICS_HOME = /nowhere\n")
    assert each.make().stdout == "a\nb\nall\n"
    assert {"all", "b"} <= {event.target for event in each.recorded()}


@pytest.mark.parametrize(
    "behind",
    [
        "X := $(value SHELL)\nlater: ; @echo '$(X)'\n", "later: ; @echo '$(SHELL)'; true\n",
        "later: ; @echo $(origin SHELL)\n", "SHELL := /bin/bash\nlater: ; @echo $$0; true\n",
        "X := $(shell echo read)\nlater: ; @echo $(X)\n", "export SHELL\nlater: ; @env | grep ^SHELL\n",
    ],
)  # fmt: skip
def test_what_make_reads_later_is_found_at_the_first_line(each: Project, behind: str) -> None:
    (each.folder / "later.mk").write_text(behind)
    printed = []
    for line in ("", each.line):
        each.write("all: one later ; @echo all\none: ; @echo one; true\n", line=f"{line}\ninclude later.mk")
        printed.append(each.make("-s").stdout)
    if "(origin" not in behind and "(value" not in behind:  # as before, these show that SHELL has another value
        assert printed[1] == printed[0]
    recorded = sorted(event.target for event in each.recorded())
    assert recorded == (["all", "later", "one"] if "$(shell" in behind else [])


def test_functions_of_the_shell_run_before_and_in_the_first_line(each: Project) -> None:
    text = (
        "X := $(shell echo read)\nall: b ; @echo $(shell echo in $@) $(X); true\n.SECONDEXPANSION:\n"
        "b: $$(shell echo c) ; @echo $@\nc: ; @echo $@\n"
    )
    for line in ("", None):
        each.write(text, line=line)
        assert each.make("-s").stdout == "c\nb\nin all read\n"
    assert {"all", "b", "c"} <= {event.target for event in each.recorded()}


def test_a_variable_that_is_called_as_the_target_reads_the_rest_while_make_reads(each: Project) -> None:
    (each.folder / "later.mk").write_text("@ := x\nY := $(shell echo read)\n")
    each.write("all: ; @echo $(Y); true\n", line=f"{each.line}\ninclude later.mk\n{ASKS}")
    assert each.make("-s").stdout == "[at once]\nread\n"


@pytest.mark.parametrize("when", ["before", "behind"])
def test_another_copy_of_the_fragment_may_be_read_too(each: Project, when: str) -> None:
    """A copy in the repository, another version's too, of which this one knows nothing."""
    shutil.copy(ROOT / "make_include/metrics.mk", each.folder / "own.mk")
    old = ROOT / "tests/compatibility/data/before_make_metrics/home/data/metrics.mk"
    shutil.copy(old, each.folder / "old.mk")
    each.write(LINES, line="")
    plain = each.make()
    for other in ("own.mk", "old.mk"):
        lines = [f"-include {other}", each.line]
        each.write(f"{LINES}%.mk: ; @echo made $@\n", line="\n".join(lines if when == "before" else lines[::-1]))
        done = each.make()
        assert (done.returncode, done.stdout, done.stderr) == (plain.returncode, plain.stdout, plain.stderr)
        if (when, other) != ("before", "old.mk"):  # that one names an installation that is gone
            assert each.events().keys() == {"a", "all", "b"}
            shutil.rmtree(each.paths.state)


def test_the_fragment_may_go_before_the_first_line(each: Project) -> None:
    each.write(LINES, line=f"{each.line}\nX := $(shell rm {each.paths.fragment})")
    done = each.make("-s")
    assert (done.returncode, done.stdout, done.stderr) == (0, "a\nb\nall\n", "")
    assert not each.paths.fragment.exists()
    assert len(each.recorded()) == 3


def test_recording_may_be_turned_off_before_the_first_line(each: Project) -> None:
    each.write(LINES, line=f"{each.line}\nX := $(shell touch {each.paths.off_file})")
    done = each.make("-s", "--warn-undefined-variables")
    assert (done.returncode, done.stdout, done.stderr) == (0, "a\nb\nall\n", "")
    assert each.records() == []


def test_a_line_that_makes_a_makefile_is_the_first(each: Project) -> None:
    each.write(f"{LINES}-include made.mk\nmade.mk: ; @echo X := 1 >$@; echo $@\n")
    assert each.make("-s").stdout == "made.mk\na\nb\nall\n"
    assert "made.mk" in {event.target for event in each.recorded()}


def test_set_up_writes_what_the_source_says() -> None:
    """Without comments, each long line whole, and each part one line, whose lines make puts apart as it reads it."""
    source, written = fragment.source().read_text(), fragment.written()
    whole = re.sub(r"\\\n *", "", source)
    kept = [line for line in whole.splitlines() if line and not line.startswith("#")]
    assert "<>" not in whole.replace(".metrics.joint := <>\n", "")
    apart = (
        written.replace(".metrics.joint := <>\n", ".metrics.joint := JOINT\n")
        .replace("<>", "\n")
        .replace("JOINT", "<>")
    )
    assert [line for line in apart.splitlines() if line and not line.startswith("#")] == kept
    assert written.count("\ndefine .metrics.newline\n\n\nendef\n") == 1
    assert len(re.findall(r"^#", written, re.MULTILINE)) == len(source.split("\n#\n")[0].splitlines()) + 2
    parts = re.findall(r"^define \.metrics\.part\.(\S+)\n(.*?)^endef$", written, re.MULTILINE | re.DOTALL)
    assert {name for name, text in parts if text.count("\n") > 1} == {"values"}
    assert len(parts) == whole.count("\ndefine .metrics.part.")


def test_the_ci_services_are_the_same_in_both_places() -> None:
    text = fragment.written()
    (asked,) = re.findall(r"^define \.metrics\.in\.ci\n(.*)\nendef$", text, re.MULTILINE)
    listed = " ".join(re.findall(r"\.metrics\.ci\.variables \+?:?= (.*?)<>", text)).split()
    assert re.sub(r"\$\(value (\w+)\)", r"\1 ", asked).split() == ["CI", *listed]


@pytest.mark.parametrize("goals", [(), ("a",), ("aa",), ("axa",), ("|a|",), ("a a",), ("a%a",), ("./a",), ("aa", "a")])
def test_only_the_goal_has_the_goals_name(each: Project, goals: tuple[str, ...]) -> None:
    """The goal is encoded once, and its lines get the same word; names that hold its name get their own."""
    each.write("a: aa axa a\\ a a%a ; @echo '$@'; true\n\t@:\naa axa |a| a\\ a a\\%a: ; @echo '$@'; true\n\t@:\n")
    assert each.make(*goals).stderr == ""
    wanted = [goal.removeprefix("./") for goal in goals] or ["a"]
    made = {"a", "aa", "axa", "a a", "a%a"} if "a" in wanted else set(wanted)
    events = each.recorded()
    assert {event.target for event in events} == made
    assert {event.recipe_lines for event in events} == {2}
    assert {event.target for event in events if event.goal} == set(wanted)


@pytest.mark.parametrize("name", ["plain", "a b", "50%", "x;y", "é", "what?"])
def test_set_up_hands_over_the_state_directory_as_make_would(each: Project, name: str) -> None:
    """With what set-up has written for it and without: the same words, and so the same record."""
    paths = Paths(data=each.paths.data, config=each.paths.config, state=each.home / name)
    text = fragment.render(paths, compiled=".metrics.baked.launcher := /" in each.paths.fragment.read_text())
    (handed,) = re.findall(r"^\.metrics\.baked\.handed := (.*)$", text, re.MULTILINE)
    assert unquote(handed) == str(paths.state)
    env = each.environment()
    del env["MAKE_METRICS_HOME"]
    each.write("all:\n\t@:\n\t@:\n\t@echo third; true\n")
    for written in (text, text.replace(f"baked.handed := {handed}\n", "baked.handed :=\n")):
        paths.fragment.write_text(written)
        done = each.make(env=env)
        assert (done.stdout, done.stderr) == ("third\n", "")
        (record,) = paths.records.glob("*.rec")
        assert record.read_text().count("\nL ") == 3
        shutil.rmtree(paths.state)


@pytest.mark.parametrize("name", ["entry", "state", "data", "handed"])
def test_a_fragment_that_has_lost_a_value_records_nothing_or_all(each: Project, name: str) -> None:
    each.write(LINES)
    text = each.paths.fragment.read_text()
    each.paths.fragment.write_text(re.sub(rf"(?m)^(\.metrics\.baked\.{name} :=).*", r"\1", text))
    done = each.make()
    assert (done.stdout, done.stderr, done.returncode) == ("a\nb\nall\n", "", 0)
    assert len(each.recorded()) in ((3,) if name == "handed" else (0, 3))


OWN_SHELL = """\
all: a b ; @echo $@ $$0 $${BASH_VERSION:+bash} $${OWN-}; true
a b: ; @echo $@ $$-; true
\t@echo x | false; echo $$?
\t-false
c: ; @echo simple
"""


@pytest.mark.parametrize("flags", ["", ".SHELLFLAGS := -eu -c\n", ".POSIX:\n"], ids=["no", "flags", "posix"])
@pytest.mark.parametrize("shell", ["/bin/bash", "bash", "/usr/bin/env bash", "/bin/sh", "dash -e", "./own.sh"])
def test_the_makefiles_own_shell_runs_the_lines_that_wait(each: Project, shell: str, flags: str) -> None:
    (each.folder / "own.sh").write_text('#!/bin/sh\nOWN="$1" exec sh "$@"\n')
    (each.folder / "own.sh").chmod(0o755)
    text = f"SHELL := {shell}\n{flags}{OWN_SHELL}"
    each.write(text, line="")
    plain = each.make("all", "-k"), each.make("c"), each.make("all", "SHELL=/bin/bash", "-k")
    assert read(each, text, "c") == "[waits]"
    shutil.rmtree(each.paths.state)
    each.write(text)
    for before, words in zip(plain, (("all", "-k"), ("c",), ("all", "SHELL=/bin/bash", "-k")), strict=True):
        done = each.make(*words)
        assert (done.stdout, done.stderr, done.returncode) == (before.stdout, before.stderr, before.returncode)
    assert {event.target for event in each.recorded()} >= {"a", "b", "c"}
