"""Only a message that stands in our own source leaves the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from make_metrics.crashes import report as crash_report
from make_metrics.crashes.own_message import own_message


@pytest.mark.parametrize(
    ("source", "message", "expected"),
    [
        ('raise ValueError("fixed")', "fixed", "fixed"),
        ('raise ValueError("fixed") from None', "fixed", "fixed"),
        ('raise ValueError("fixed")', "other", ""),
        ('raise ValueError(f"fixed")', "fixed", ""),
        ('raise ValueError("fixed" + name)', "fixed", ""),
        ('raise ValueError("fixed", name)', "fixed", ""),
        ('int("fixed")', "fixed", ""),
        ('{}["fixed"]', "'fixed'", ""),
        ("raise ValueError(name)", "fixed", ""),
        ("raise", "fixed", ""),
    ],
)
def test_a_message_is_ours_if_our_source_line_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, message: str, expected: str
) -> None:
    (tmp_path / "make_metrics").mkdir()
    (tmp_path / "make_metrics/own.py").write_text(f"def fail(name):\n    {source}\n")
    monkeypatch.setattr("make_metrics.crashes.own_message._PACKAGE", tmp_path / "make_metrics")
    assert own_message(crash_report.Frame("", 2, "fail", "make_metrics/own.py"), message) == expected
    assert own_message(crash_report.Frame("", 1, "fail", "make_metrics/own.py"), message) == ""
    assert own_message(crash_report.Frame("", 2, "fail", "make_metrics/none.py"), message) == ""
