"""`make-metrics server`: projects, keys, tokens, export and import."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from make_metrics.cli import main
from tests.support.sharing_project import Sharing
from tests.support.team_receiver import messages, sqlite_url


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAKE_METRICS_DATABASE", sqlite_url(tmp_path))


def server(capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> str:
    assert main(["server", *words]) == status
    captured = capsys.readouterr()
    return captured.err if status else captured.out


def test_a_projects_life(database: None, capsys: pytest.CaptureFixture[str]) -> None:
    key = server(capsys, "project", "add", "my project").partition('write-key = "')[2].partition('"')[0]
    (project,) = json.loads(server(capsys, "project", "list", "--json"))
    assert (project["name"], project["keys"], project["retention_days"]) == ("my project", [key], 365)
    assert project["version"] == 1
    assert "kept for 30 days, smallest group 5" in server(
        capsys, "project", "set", "my project", "--retention", "30", "--smallest-group", "5"
    )
    assert "90 more days" in server(capsys, "project", "rotate", "my project")
    assert "no longer taken" in server(capsys, "project", "rotate", "my project", "--at-once")
    assert key not in server(capsys, "project", "list")
    assert "no events any more" in server(capsys, "project", "disable", "my project")
    assert "disabled" in server(capsys, "project", "list")
    assert "takes events again" in server(capsys, "project", "enable", "my project")
    token = server(capsys, "token", "add", "my project").strip()
    assert token.startswith("mmv_")
    assert "my project" in server(capsys, "token", "list")
    assert "Nobody" in server(capsys, "token", "delete", token.split("_")[1])
    assert "asks before it deletes" in server(capsys, "project", "delete", "my project", status=1)
    assert "is deleted" in server(capsys, "project", "delete", "--yes", "my project")  # options stand anywhere
    assert server(capsys, "project", "list") == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["project"], "server project is not known"),
        (["project", "add"], "a name is missing"),
        (["project", "add", "a", "b"], "too many"),
        (["nonsense"], "is not known"),
        (["project", "set", "a"], "say --retention DAYS"),
        (["import", "a"], "name files, or say --local"),
    ],
)
def test_wrong_words_get_one_line(
    database: None, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    text = server(capsys, *words, status=2)
    assert said in text
    assert text.count("\n") == 1


def test_export_and_import(database: None, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    server(capsys, "project", "add", "a")
    server(capsys, "project", "add", "b")
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    some = messages(20)
    first.write_text("".join(json.dumps(entry) + "\n" for entry in some[:15]))
    second.write_text("".join(json.dumps(entry) + "\n" for entry in some[10:]) + "torn\n")
    said = server(capsys, "import", "a", str(first), str(second))
    assert said == "26 messages, 20 events of them new\nrefused: 1 time a whole message: is no object\n"
    assert server(capsys, "import", "a", str(first)).startswith("15 messages, 0 events")
    server(capsys, "export", "a", "-o", str(tmp_path / "out.jsonl"))
    assert server(capsys, "import", "b", str(tmp_path / "out.jsonl")).startswith("20 messages, 20 events")
    assert "cannot read" in server(capsys, "import", "a", str(tmp_path / "none"), status=1)
    assert "there is no project" in server(capsys, "export", "c", "-o", str(first), status=1)
    assert first.read_text().count("\n") == 15  # a mistake leaves the file as it was


def test_the_local_store_is_imported_once(database: None, sharing: Sharing, capsys: pytest.CaptureFixture[str]) -> None:
    sharing.make("all")
    server(capsys, "project", "add", "a")
    assert server(capsys, "import", "a", "--local") == "2 messages, 2 events of them new\n"
    assert server(capsys, "import", "a", "--local").startswith("2 messages, 0 events")
    lines = server(capsys, "export", "a").splitlines()
    assert {json.loads(line)["properties"]["command"] for line in lines} == {"all", "a"}
