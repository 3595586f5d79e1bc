"""The labels of a project, from its settings to each receiver."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from make_metrics.consent import notice
from make_metrics.project import settings_file
from make_metrics.project.project import project_of
from make_metrics.sinks.otlp.text import readable
from tests.support.project import Project
from tests.support.segment_receiver import Receiver
from tests.support.settings_files import write_settings
from tests.support.sharing_project import TEXT, Sharing

LABELS = 'labels = { team = "build & test", product = "Example 2" }\n'
EXPECTED = {"label_product": "Example 2", "label_team": "build & test"}


@pytest.fixture
def sharing(tmp_path: Path, home: Path, receiver: Receiver) -> Sharing:
    found = Sharing(Project(tmp_path / "project", home), receiver)
    name_sinks(found, LABELS)
    return found


def name_sinks(sharing: Sharing, more: str) -> None:
    """Name a receiver of each protocol, and write what else the project's settings say."""
    host = f'host = "{sharing.receiver.host}"\n'
    (sharing.project.folder / "make-metrics.toml").write_text(
        f'{TEXT}{more}[[sinks]]\ntype = "segment"\nwrite-key = "key"\n{host}[[sinks]]\ntype = "otlp"\n{host}'
    )


def own(properties: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in properties.items() if name.startswith("label_")}


def test_each_event_has_the_labels_at_each_receiver(sharing: Sharing, receiver: Receiver) -> None:
    receiver.schema = json.loads(sharing.cli("schema", "--json"))
    shown = sharing.cli("opt-in", "--yes")
    assert f"{notice.LABELS}\n  label_product: Example 2\n  label_team: build & test\n" in shown
    sharing.make("all")
    previewed = sharing.cli("preview")
    sharing.cli("flush")
    assert len(receiver.accepted) == 3  # with the yes
    assert {json.dumps(own(message["properties"])) for message in receiver.accepted} == {json.dumps(EXPECTED)}
    requests = [request for request in receiver.requests if not request.path.endswith("batch")]
    assert {request.path for request in requests} == {"/v1/traces", "/v1/metrics"}
    for request in requests:
        document = readable(request.path, request.body)
        spans_or_points = document.count('"startTimeUnixNano"')
        assert spans_or_points in (3, 4)
        assert document.count('"make.label_team", "value": {"stringValue": "build & test"}') == spans_or_points
    assert "label_team" in previewed
    assert sharing.status()["labels"] == {"product": "Example 2", "team": "build & test"}
    assert "labels: product Example 2, team build & test" in sharing.cli("status")
    assert "always build & test" in " ".join(sharing.cli("schema").split())
    assert "| `label_team` | string | always build & test |" in sharing.cli("transparency")
    sharing.cli("check")


def test_another_label_asks_again_and_what_waits_gets_it(sharing: Sharing, receiver: Receiver) -> None:
    name_sinks(sharing, "")
    sharing.cli("opt-in", "--yes")
    sharing.make("all")
    sharing.cli("status")
    name_sinks(sharing, 'labels = { team = "other" }\n')
    assert sharing.mode()[0] == "local"
    sharing.cli("flush", status=1)
    assert receiver.requests == []
    receiver.schema = json.loads(sharing.cli("schema", "--json"))
    sharing.cli("opt-in", "--yes")
    sharing.cli("flush")
    assert len(receiver.accepted) >= 2
    assert {message["properties"]["label_team"] for message in receiver.accepted} == {"other"}


LONG_TEXT, LONG_NAME = "x" * 51, "t" * 31
NINE = ", ".join(f't{number} = "x"' for number in range(9))


@pytest.mark.parametrize(
    "value",
    [
        '{ Team = "x" }', '{ team = "" }', '{ team = " x" }', '{ team = "x " }', '{ team = "a\\nb" }',
        '{ team = "\\u3164" }', '{ team = "\\u202e" }', '{ team = "\\u001b[31m" }', "{ team = 3 }",
        '{ team = ["x"] }', '{ "a b" = "x" }', '{ "" = "x" }', '"team"', "[]", f'{{ team = "{LONG_TEXT}" }}',
        f'{{ {LONG_NAME} = "x" }}', f"{{ {NINE} }}",
    ],
)  # fmt: skip
def test_a_wrong_label_is_refused_with_a_line(tmp_path: Path, value: str) -> None:
    path = write_settings(tmp_path, f"{TEXT}labels = {value}\n")
    settings, (problem,) = settings_file.read(path)
    assert problem.startswith(f"{path}: labels: ")
    assert settings is not None
    assert settings.labels == ()


def test_the_bounds_of_labels(tmp_path: Path) -> None:
    longest = LONG_TEXT[1:]
    names = [LONG_NAME[1:], *(f"n{number}" for number in range(7))]
    table = ", ".join(f'{name} = "{longest}"' for name in names)
    write_settings(tmp_path, f"{TEXT}labels = {{ {table} }}\n")
    project = project_of(tmp_path)
    assert project.problems == ()
    assert project.settings is not None
    assert len(project.settings.labels) == 8
