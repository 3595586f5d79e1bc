"""Which names of targets leave: from real makes to a real receiver."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.support.git_repository import commit, git
from tests.support.sharing_project import Sharing

ANYTHING = "ARGS = $(filter-out $@,$(MAKECMDGOALS))\ncreateuser:\n\t@echo $(ARGS) >/dev/null\n%:\n\t@:\n"


@pytest.fixture
def agreed(sharing: Sharing) -> Sharing:
    """A project whose yes was sent, so that the receiver has only events of targets."""
    sharing.cli("opt-in", "--yes")
    sharing.cli("flush")
    sharing.receiver.accepted.clear()
    sharing.receiver.requests.clear()
    return sharing


def sent(project: Sharing, makefile: str, *goals: str, **environ: str) -> list[str]:
    """The names that arrive after a make of these goals. No message holds any goal that is not among them."""
    project.project.write(makefile)
    project.make(*goals, **environ)
    project.cli("flush")
    commands: list[str] = sorted(message["properties"]["command"] for message in project.receiver.accepted)
    bodies = json.dumps(list(project.receiver.accepted))
    for goal in goals:
        assert "=" in goal or goal.startswith("-") or goal in commands or goal not in bodies
    return commands


@pytest.mark.parametrize(
    ("makefile", "goals", "names"),
    [
        (ANYTHING, ["createuser", "first.last", "S3cret-pw"], ["createuser", "other", "other"]),
        (".DEFAULT:\n\t@:\nrun:\n\t@:\n", ["run", "S3cret-pw"], ["other", "run"]),
        ("ssh-%:\n\t@:\n", ["ssh-db1.corp.internal"], ["ssh-%"]),
        ("deploy-%:\n\t@:\ndeploy-prod:\n\t@:\n", ["deploy-feature-login", "deploy-prod"], ["deploy-%", "deploy-prod"]),
        ("$(eval $(MAKECMDGOALS):;@:)\n", ["S3cret-pw"], ["other"]),
        ("$(eval $(wordlist 2,9,$(MAKECMDGOALS)):;@:)\nrun:\n\t@:\n", ["run", "S3cret-pw"], ["other", "run"]),
        ("deploy: deploy-$(WHO)\n\t@:\ndeploy-$(WHO):\n\t@:\n", ["deploy", "WHO=alice"], ["deploy", "deploy-%"]),
        ("$(WHO):\n\t@:\nall: $(WHO)\n\t@:\n", ["all", "WHO=alice"], ["all", "other"]),
        ("SUBS = x y\nall: $(SUBS)\n\t@:\n$(SUBS): %:\n\t@:\n", ["all"], ["all", "x", "y"]),
        ("all: t-a t-b\n\t@:\nt-a t-b: t-%:\n\t@:\n", ["all"], ["all", "t-a", "t-b"]),
        ("define R\nbuild-$(1):\n\t@:\nendef\n$(foreach w,$(W),$(eval $(call R,$w)))\n", ["build-db1", "W=db1"],
         ["build-%"]),
        (".SECONDEXPANSION:\nall: $$(WHO)\n\t@:\n%:\n\t@:\n", ["all", "WHO=alice"], ["all", "other"]),
        ("with\\:colon:\n\t@:\n", ["with:colon"], ["with:colon"]),
        ("a%c%e:\n\t@:\n", ["abc%e"], ["a%c%e"]),
        ("all:\n\t@$(MAKE) -s inner S3cret-pw\ninner:\n\t@:\n%:\n\t@:\n", ["all", "VERSION=hidden"],
         ["all", "inner", "other"]),
        ("all:\n\t@:\n", ["all", "VERSION=s3cret"], ["all"]),
    ],
)  # fmt: skip
def test_only_what_the_makefile_spells_is_sent(
    agreed: Sharing, makefile: str, goals: list[str], names: list[str]
) -> None:
    assert sent(agreed, makefile, *goals) == names
    assert not any(b"s3cret" in request.body.lower() for request in agreed.receiver.requests)
    kept = {goal for goal in goals if "=" not in goal}
    assert kept <= set(agreed.project.events())  # the names stay here
    assert kept <= {row["target"] for row in json.loads(agreed.cli("report", "--json"))["targets"]}


def test_a_pattern_of_a_path_is_sent_only_with_the_paths_of_files(agreed: Sharing) -> None:
    makefile = "foo/%:\n\t@:\nout/%.x:\n\t@:\nout/known.o:\n\t@:\n"
    goals = ["foo/alice", "out/alice.x", "out/known.o"]
    assert sent(agreed, makefile, *goals) == []
    agreed.settings("send-file-targets = true")
    agreed.cli("opt-in", "--yes")
    agreed.cli("flush")
    agreed.receiver.accepted.clear()
    assert sent(agreed, makefile, *goals) == ["foo/%", "out/%.x", "out/known.o"]


def test_makefiles_of_the_person_spell_nothing(agreed: Sharing, tmp_path: Path) -> None:
    private = tmp_path / "my.mk"
    private.write_text("ssh-db1:\n\t@:\n")
    assert sent(agreed, "all: ssh-db1\n\t@:\n", MAKEFILES=str(private)) == ["all", "other"]
    agreed.receiver.accepted.clear()
    assert sent(agreed, f"all: ssh-db1\n\t@:\ninclude {private}\n") == ["all", "other"]
    agreed.receiver.accepted.clear()
    assert sent(agreed, "all:\n\t@:\n", "-f", "Makefile", "-f", str(private), "all", "ssh-db1") == ["all", "other"]
    agreed.receiver.accepted.clear()
    assert sent(agreed, "all:\n\t@:\n", "--eval=ssh-db1: ; @:", "ssh-db1") == ["other"]


def test_a_makefile_that_git_does_not_track_spells_nothing(agreed: Sharing) -> None:
    folder = agreed.project.folder
    (folder / "local.mk").write_text("ssh-db1:\n\t@:\n")
    (folder / "shared.mk").write_text("deploy:\n\t@:\n")
    git(folder, "init", "--quiet")
    agreed.project.write("all: ssh-db1 deploy\n\t@:\ninclude $(wildcard *.mk)\n")
    git(folder, "add", "Makefile", "shared.mk")
    commit(folder)
    text = "all: ssh-db1 deploy\n\t@:\ninclude $(wildcard *.mk)\n"
    assert sent(agreed, text) == ["all", "deploy", "other"]


def test_a_makefile_that_is_gone_when_the_run_is_combined_spells_nothing(agreed: Sharing) -> None:
    agreed.project.write("all:\n\t@:\n")
    agreed.make()
    (agreed.project.folder / "Makefile").unlink()
    agreed.cli("flush")
    assert agreed.receiver.commands == ["other"]


def test_another_makefile_of_the_command_line_counts(agreed: Sharing) -> None:
    agreed.project.write("all:\n\t@:\n")
    shutil.move(agreed.project.folder / "Makefile", agreed.project.folder / "build.make")
    (agreed.project.folder / "Makefile").write_text("unused:\n")
    agreed.make("-fbuild.make")
    agreed.make("--file", "build.make")
    agreed.cli("flush")
    assert agreed.receiver.commands == ["all", "all"]


def messages(project: Sharing) -> dict[str, dict[str, Any]]:
    return {message["properties"]["command"]: message for message in project.receiver.accepted}


def test_events_name_their_run_and_the_target_above_their_make(agreed: Sharing) -> None:
    agreed.project.write("all: a\n\t@$(MAKE) -s inner\na:\n\t@:\ninner:\n\t@:\n")
    agreed.make()
    agreed.cli("flush")
    first = messages(agreed)
    assert len({message["properties"]["run_id"] for message in first.values()}) == 1
    assert first["inner"]["properties"]["parent_id"] == first["all"]["messageId"]
    assert not any("parent_id" in first[name]["properties"] for name in ("all", "a"))
    agreed.make()
    agreed.cli("flush")
    assert len(Counter(message["properties"]["run_id"] for message in agreed.receiver.accepted)) == 2


def test_a_run_in_two_projects_cannot_be_matched(agreed: Sharing) -> None:
    """Each has an id of its own in run_id, and a parent in the other project is left out."""
    inner = agreed.project.folder / "inner"
    inner.mkdir()
    (inner / "Makefile").write_text(f"inside:\n\t@:\n{agreed.project.line}\n")
    shutil.copy(agreed.project.folder / "make-metrics.toml", inner)
    agreed.cli("opt-in", "--yes", "-C", "inner")
    agreed.cli("flush")
    agreed.receiver.accepted.clear()
    agreed.project.write("all:\n\t@$(MAKE) -sC inner\n")
    agreed.make()
    agreed.cli("flush")
    both = messages(agreed)
    assert set(both) == {"all", "inside"}
    assert both["all"]["anonymousId"] != both["inside"]["anonymousId"]
    assert both["all"]["properties"]["run_id"] != both["inside"]["properties"]["run_id"]
    assert "parent_id" not in both["inside"]["properties"]


def test_preview_shows_what_would_be_sent(sharing: Sharing) -> None:
    sharing.project.write(ANYTHING)
    sharing.make("createuser", "first.last")
    text = sharing.cli("preview")
    assert "first.last" not in text
    assert '"command": "other"' in text
    assert '"command": "createuser"' in text
