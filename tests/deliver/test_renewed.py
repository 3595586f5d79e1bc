"""Messages of event version 1 that wait; tests/compatibility has those that an earlier version wrote."""

from __future__ import annotations

from pathlib import Path

from make_metrics.deliver.permissions import ProjectCache
from make_metrics.deliver.renewed import renewed
from make_metrics.files.paths import Paths
from make_metrics.properties.registry import check
from make_metrics.store.outbox import Entry
from make_metrics.store.store import Store
from tests.support.agreed_project import agreed_project
from tests.support.events import message_with
from tests.support.store import ask


def test_without_its_event_no_name_of_an_old_message_is_kept(tmp_path: Path, home: Path) -> None:
    paths = Paths.from_environment()
    project = agreed_project(tmp_path, paths)
    (Path(project.path) / "Makefile").write_text("build: ;\n")
    new = message_with(target="build")
    old = message_with(target="build")
    properties = old["properties"]
    assert isinstance(properties, dict)
    del properties["run_id"]
    properties["event_version"] = 1
    entries = [Entry("segment x", project.path, str(each["messageId"]), each) for each in (old, new)]
    first, second = ask(paths, lambda connection: renewed(Store(connection), ProjectCache(paths), project, entries, ()))
    assert first.message["properties"]["command"] == "other"
    assert check(first.message) == []
    assert second == entries[1]
