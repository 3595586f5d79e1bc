"""What commands print for programs: the same formats everywhere, and a version in each JSON document."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from make_metrics.cli import COMMANDS
from tests.support.project import Project
from tests.support.sharing_project import Sharing
from tests.support.terminal import spawned

HOSTILE = 'out/a,b"`c'
MAKEFILE = f"""\
all: a b {HOSTILE}
\t@sleep 0.02
a b {HOSTILE}:
\t@sleep 0.01
bad:
\t@exit 3
"""
READING = ("report", "compare", "events", "runs", "last", "run", "eta", "what-if")
WITH_VERSION = {
    "type": "object",
    "required": ["version"],
    "properties": {"version": {"type": "integer", "minimum": 1}},
}
# What programs read of each array or object before there was a version: it stays.
KEPT = {
    "runs": {"run", "id", "goals", "directory", "duration_ms", "exit_status", "targets", "start_time", "unseen_goals"},
    "doctor": {"ok", "findings", "makefile"},
    "status": {"mode", "rule", "reason", "decision", "sinks", "paths", "problems"},
    "last": {"run", "id", "goals", "targets", "critical_path"},
    "what-if": {"estimates", "gains"},
    "eta": {"goals", "runs", "median_ms", "left_ms"},
    "store": {"path", "views"},
    "report": {"since", "until", "project", "targets"},
}


def words_of(command: str) -> list[str]:
    return [command, "last~1", "last"] if command == "compare" else [command]


@pytest.fixture
def built(tmp_path: Path, home: Path) -> Project:
    project = Project(tmp_path / "project", home)
    project.write(MAKEFILE)
    for _ in range(2):
        assert project.make("-j2").returncode == 0
    return project


def test_every_reading_command_has_every_format(built: Project) -> None:
    for command in READING:
        for form in ("table", "json", "csv", "markdown"):
            done = built.cli(*words_of(command), "--format", form)
            assert (done.returncode, done.stderr) == (0, ""), (command, form)
            assert done.stdout.strip(), (command, form)
            if form == "csv":
                heading, *rows = csv.reader(io.StringIO(done.stdout))
                assert len(rows) >= 1, command
                assert {len(row) for row in rows} == {len(heading)}, command
            elif form == "json" and command != "events":
                json.loads(done.stdout)


def test_names_are_whole_and_one_cell_in_csv(built: Project) -> None:
    for command in ("report", "events", "last"):
        rows = list(csv.DictReader(io.StringIO(built.cli(command, "--format", "csv").stdout)))
        assert HOSTILE in {row["target"] for row in rows}, command


def test_the_csv_of_a_run_has_its_targets(built: Project) -> None:
    document = json.loads(built.cli("last", "--json").stdout)
    rows = list(csv.DictReader(io.StringIO(built.cli("run", "--format", "csv").stdout)))
    assert [(row["target"], int(row["own_us"])) for row in rows] == [
        (target["target"], target["own_us"]) for target in document["targets"]
    ]
    steps = {step["target"] for step in document["critical_path"]["steps"]}
    assert {row["target"] for row in rows if row["critical"] == "1"} == steps


def test_the_csv_of_what_if_has_a_row_for_each_estimate(built: Project) -> None:
    document = json.loads(built.cli("what-if", "-j", "1", "2", "--json").stdout)
    rows = list(csv.DictReader(io.StringIO(built.cli("what-if", "-j", "1", "2", "--format", "csv").stdout)))
    durations = [int(row["duration_us"]) for row in rows]
    halved = [document["estimated_again_us"] - gain["saved_us"] for gain in document["gains"]]
    assert durations == [each["duration_us"] for each in document["estimates"]] + halved
    assert [row["target"] for row in rows[2:]] == [gain["target"] for gain in document["gains"]]


def test_text_still_is_a_format(built: Project) -> None:
    for command in ("last", "run", "what-if"):
        as_table, as_text = (built.cli(command, "--format", form).stdout for form in ("table", "text"))
        assert as_table == as_text == built.cli(command).stdout


def test_people_get_the_newest_events_and_programs_all(built: Project) -> None:
    built.write("all: " + " ".join(f"t{n}" for n in range(30)) + "\nt%:\n\t@:\n")
    assert built.make().returncode == 0
    assert len(built.cli("events", "--format", "table").stdout.splitlines()) == 21
    assert len(built.cli("events", "--format", "csv").stdout.splitlines()) > 30
    (newest,) = built.cli("events", "--limit", "1").stdout.splitlines()
    assert newest == built.cli("events").stdout.splitlines()[-1]
    assert built.cli("events", "--limit", "0").returncode == 2


def documents(project: Project, command: str) -> list[dict[str, Any]]:
    """The objects of what `COMMAND --json` prints: an array's elements, or the one document."""
    done = project.cli(*words_of(command), "--json")
    assert done.stdout, done.stderr
    document = json.loads(done.stdout)
    return document if isinstance(document, list) else [document]


def with_json() -> list[str]:
    names = [command.name for command in COMMANDS for option in command.options if "--json" in option.names]
    return [name for name in names if name not in ("schema", "server", "preview", "sent")]  # tested where they are


def test_every_json_document_has_a_version_and_what_it_had(built: Project) -> None:
    for command in with_json():
        found = documents(built, command)
        assert found
        for document in found:
            jsonschema.validate(document, WITH_VERSION)
            assert KEPT.get(command, set()) <= document.keys(), command


@pytest.mark.parametrize("no_colour", [False, True])
def test_only_a_failure_is_red_in_runs(sharing: Sharing, no_colour: bool) -> None:
    sharing.project.write(MAKEFILE)
    for goal in ("bad", "a"):
        sharing.project.make(goal)
    terminal = spawned(sharing, "runs", columns=200, TERM="xterm-256color", NO_COLOR="1" if no_colour else "")
    shown = terminal.read()
    terminal.close()
    (passed,) = [line for line in shown.splitlines() if re.search(r"\bok\b", line)]
    assert "\x1b[1;31m" not in passed
    assert bool(re.search(r"\x1b\[1;31m *3", shown)) is not no_colour
    assert ("\x1b" in shown) is not no_colour
