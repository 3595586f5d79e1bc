"""`make-metrics off` and `make-metrics on-this-machine`; what they do to make is tested in tests/consent."""

from __future__ import annotations

import pytest

from make_metrics import cli
from make_metrics.files.paths import Paths


def test_off_and_on_this_machine_can_be_said_again(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert cli.main(["off"]) == 0
        assert paths.off_file.exists()
    assert "make-metrics on turns it on again" in capsys.readouterr().out
    for _ in range(2):
        assert cli.main(["on-this-machine"]) == 0
        assert not paths.off_file.exists()
    assert "recording on this machine, nothing is sent\n" in capsys.readouterr().out
