"""The directory that `-C` names; commands in the face of records that cannot be."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from make_metrics import cli
from make_metrics.files.paths import Paths
from make_metrics.setup.renewal import set_up
from tests.support.records import add, ended_run, left_in, line
from tests.support.settings_files import write_settings
from tests.support.sharing_project import Sharing


@pytest.mark.skipif(sys.platform == "darwin", reason="names are UTF-8 there")
def test_a_directory_whose_name_is_no_text(sharing: Sharing) -> None:
    odd = os.fsdecode(os.fsencode(sharing.project.folder) + b"\xff")
    shutil.copytree(sharing.project.folder, odd)
    for words in (["status", "-C", ""], ["opt-out", "-C", ""]):
        sharing.cli(*words, status=1)
        assert sharing.errors == "make-metrics: -C needs a directory, and its name is empty\n"
    for words in (["status"], ["opt-out"], ["preview"], ["sent"]):
        sharing.cli(*words, "-C", odd)
    sharing.cli("opt-in", "--yes", "-C", odd, status=1)
    assert "is not UTF-8" in sharing.errors


HOSTILE = {
    "a path with NUL": b"M key=%s directory=/a%%00b ceiling=on ;\n",
    "a path that is relative": b"M key=%s directory=../a ceiling=on ;\n",
    "an endless path": b"M key=%s directory=" + b"/a" * 8_000 + b" ceiling=on ;\n",
    "a long name": b"M key=%s directory=/" + b"a" * 10_000 + b" ceiling=on ;\n",
    "a boot of blanks": b"M key=%s boot=%%20 ;\n",
    "a surrogate": b"M key=%s directory=/%%ED%%A0%%80 ceiling=on ;\n",
    "its own parent": b"M key=%s parent=%s parent_target=a directory=/ ceiling=on ;\n",
    "many goals": b"M key=%s goals=" + b"a&" * 100_000 + b" ;\n",
    "control characters": b"M key=%s directory=/%%1B[2J%%0A branch=%%00 version=%%00 head=%%00 ;\n",
}
COMMANDS = (
    "report --all",
    "runs",
    "events",
    "status",
    "doctor",
    "flush",
    "off",
    "on-this-machine",
    "opt-out",
    "forget --yes",
)


@pytest.mark.parametrize("entry", HOSTILE.values(), ids=HOSTILE)
def test_no_entry_of_a_record_stops_a_command(
    entry: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write_settings(tmp_path)
    paths = Paths.from_environment()
    set_up(paths)
    for command in COMMANDS:
        bad, good = ended_run(), ended_run()
        record = add(paths, bad, line("a", make=bad))
        record.write_bytes(entry.replace(b"%s", bad.encode()).replace(b"%%", b"%") + record.read_bytes())
        add(paths, good, line("good", make=good))
        assert cli.main(command.split()) == 0, capsys.readouterr()
        if command in ("report --all", "events"):
            assert "good" in capsys.readouterr().out
    assert left_in(paths.records) == []
