"""Metrics of an installed distribution, from its entry points to a receiver, by real make and the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from make_metrics.sender import protocol
from tests.support.project import Project, makes
from tests.support.segment_receiver import Receiver, receiving
from tests.support.sharing_project import Sharing

ASKED = ("os", "cpu_ms", "target_length", "raises", "sleeps", "outside")
TROUBLES = ("raises failed (", "sleeps took too long (", "outside gave what its declaration does not allow (")


class Shop(Sharing):
    """A project whose developer has the distribution installed beside make-metrics."""

    def __init__(self, project: Project, receiver: Receiver, python: Path) -> None:
        super().__init__(project, receiver, python=str(python))
        self.cli("setup")

    def asks(self, *names: str) -> None:
        self.settings(f"metrics = {json.dumps(names)}\n")

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = json.loads(self.cli("schema", "--json"))
        Draft202012Validator.check_schema(schema)
        return schema

    def received(self) -> list[dict[str, Any]]:
        """The properties of the targets' events that the receiver accepted."""
        messages = [message["properties"] for message in self.receiver.accepted]
        return [properties for properties in messages if "choice" not in properties]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def shop(tmp_path: Path, home: Path, receiver: Receiver, shop_python: Path) -> Shop:
    project = Project(tmp_path / "project", home, next(iter(makes().values())))
    return Shop(project, receiver, shop_python)


def test_a_good_metric_arrives_and_the_troubles_of_the_others_are_shown(shop: Shop) -> None:
    shop.asks(*ASKED)
    before = json.loads(shop.cli("schema", "--json"))["$defs"]["target"]["properties"]
    notice = shop.cli("opt-in", "--yes")
    assert shop.errors == ""
    for name in ("target_length", "raises", "sleeps", "os", "cpu_ms"):
        assert f"  {name}: " in notice
    assert "0 to 1000; computed by shop-metrics, which you have installed" in notice
    shop.receiver.schema = shop.schema()
    declared = shop.receiver.schema["$defs"]["target"]["properties"]
    assert declared["target_length"] == before["target_length"]
    assert (declared["target_length"]["type"], declared["target_length"]["maximum"]) == ("integer", 1000)
    # A metric has a second, and this machine may be slow: a run that lost its value to that is followed by another.
    for _ in range(10):
        shop.make()
        assert "sent" in shop.cli("flush")
        doctor = shop.cli("doctor")
        if any("target_length" in properties for properties in shop.received()) and all(
            trouble in doctor for trouble in TROUBLES
        ):
            break
    targets = shop.received()
    assert {properties["command"] for properties in targets} == {"all", "a"}
    lengths = [
        (properties["command"], properties["target_length"]) for properties in targets if "target_length" in properties
    ]
    assert set(lengths) == {("all", 3), ("a", 1)}
    assert all(properties["os"] in declared["os"]["enum"] and properties["cpu_ms"] >= 0 for properties in targets)
    assert not any({"raises", "sleeps", "outside"} & properties.keys() for properties in targets)
    assert "ok    metric       target_length, of shop-metrics 1.0\n" in doctor
    for trouble in TROUBLES:
        assert f"note  metric       {trouble}" in doctor
    assert ": ValueError: no [31m such thing)" in doctor
    status = shop.status()
    assert status["metrics"] == list(ASKED)
    assert {properties["metric"] for properties in status["metric_troubles"]} >= {"raises", "sleeps", "outside"}
    page = shop.cli("transparency")
    assert "| `target_length` | integer | a count (0 to 1000) | whether long names are used at all | `3` | " in page
    assert "`shop_metrics:TargetLength (shop-metrics)`" in page
    assert f"| sent to | {shop.receiver.host} (segment) |" in page
    assert "| collected by | The example team |" in page
    assert "target_length" in shop.cli("schema")
    events = [json.loads(line)["properties"] for line in shop.cli("events").splitlines()]
    assert {properties["os"] for properties in events} == {targets[0]["os"]}


def test_no_metric_is_computed_without_a_yes(shop: Shop) -> None:
    shop.asks("os", "sleeps", "target_length")
    shop.make()
    events = [json.loads(line)["properties"] for line in shop.cli("events").splitlines()]
    assert len(events) == 2
    assert not any({"os", "sleeps", "target_length"} & properties.keys() for properties in events)
    assert not (shop.project.home / "sleepers").exists()


def test_preview_shows_what_a_yes_would_send(shop: Shop) -> None:
    shop.asks("os", "jobs", "make_version", "ci", "target_length")
    shop.make("-j3")
    for _ in range(10):  # within its second, see above
        body = json.loads(shop.cli("preview").splitlines()[1])
        if "target_length" in body["batch"][0]["properties"]:
            break
    for message in body["batch"]:
        Draft202012Validator(shop.schema()).validate(message)
        properties = message["properties"]
        assert properties["target_length"] == len(properties["command"])
        assert (properties["jobs"], properties["ci"]) == (3, "none")
        assert properties["make_version"] == next(iter(makes()))
        assert properties["os"]
    assert shop.receiver.requests == []
    assert not any("os" in json.loads(line)["properties"] for line in shop.cli("events").splitlines())


def test_a_new_metric_pauses_sending_until_the_next_yes(shop: Shop) -> None:
    shop.asks("os")
    shop.cli("opt-in", "--yes")
    shop.make("a")
    shop.cli("events")  # it waits now
    shop.asks("cpu_architecture", "goal_count")
    shop.make("b")
    assert "has changed since your yes" in shop.cli("flush", status=1) + shop.errors
    assert shop.receiver.requests == []
    shop.cli("opt-in", "--yes")
    shop.receiver.schema = shop.schema()
    shop.make("c")
    shop.cli("flush")
    by_command = {properties["command"]: properties for properties in shop.received()}
    # What was recorded under the first yes goes without what the second does not list; b was made under neither.
    assert set(by_command) == {"a", "c"}
    assert not {"os", "cpu_architecture"} & by_command["a"].keys()
    assert "cpu_architecture" in by_command["c"]
    assert "os" not in by_command["c"]


def test_a_distribution_that_is_installed_later_pauses_sending(shop: Shop) -> None:
    shop.asks("goal_count")
    beside, shop.python = shop.python, None
    notice = shop.cli("opt-in", "--yes")
    assert "goal_count" not in notice
    assert "the metric goal_count is neither built in" in shop.errors
    assert shop.mode()[0] == "on"
    assert "note  metric       goal_count is neither built in" in shop.cli("doctor", status=1)
    shop.python = beside
    assert shop.mode() == ("local", "decision")
    assert "goal_count: how many goals" in shop.cli("opt-in", "--yes")
    assert shop.mode()[0] == "on"
    # Someone who cannot load it any more is not asked again.
    shop.python = None
    assert shop.mode()[0] == "on"


def test_no_code_in_the_repository_is_run(shop: Shop) -> None:
    """Neither a file that has the name, nor what looks like a distribution, even if the environment points there."""
    folder, ran = shop.project.folder, shop.project.home / "was-run"
    (folder / "evil.py").write_text(f"open({str(ran)!r}, 'w').close()\n")
    (folder / "evil-1.0.dist-info").mkdir()
    (folder / "evil-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (folder / "evil-1.0.dist-info" / "entry_points.txt").write_text("[make_metrics.metrics]\nevil = evil:Evil\n")
    shop.asks("evil", "goal_count")
    notice = shop.cli("opt-in", "--yes", environ={"PYTHONPATH": str(folder)})
    assert "goal_count" in notice
    assert "evil" not in notice
    assert "the metric evil is neither built in" in shop.errors
    shop.cli("schema", environ={"PYTHONPATH": str(folder)})
    assert not ran.exists()
    # Python would find the distribution, if make-metrics let it see the environment.
    words = [str(shop.python), "-c", "from importlib.metadata import entry_points as e; e(name='evil')['evil'].load()"]
    assert shop.project.run(words, env=shop.project.environment(PYTHONPATH=str(folder))).returncode == 1
    assert ran.exists()


def test_a_sender_that_a_line_ends_starts_no_process_and_leaves_the_run(shop: Shop) -> None:
    """Where process 1 does not reap, the metric's process would stay as a zombie of each make."""
    shop.asks("target_length")
    shop.receiver.schema = shop.schema()
    shop.cli("opt-in", "--yes")
    shop.make("a")
    environ = {
        **shop.project.environment(),
        protocol.MAKE: protocol.BESIDE,
        protocol.GROUP: "0",
        protocol.STATE: str(shop.paths.state),
        protocol.PROJECT: str(shop.project.folder),
    }
    shop.project.run([str(shop.python), "-I", protocol.PROGRAM], env=environ)
    assert shop.received() == []
    assert list(shop.paths.records.glob("*.rec"))
    shop.cli("flush")
    assert [properties["target_length"] for properties in shop.received()] == [1]
