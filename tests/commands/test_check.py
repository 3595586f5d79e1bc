from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from make_metrics import cli
from tests.support.settings_files import FULL_SETTINGS, write_settings


def check(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """The exit status of `make-metrics check`, its output, and its messages."""
    status = cli.main(["check", "-C", str(folder)])
    return (status, *capsys.readouterr())


def test_a_file_without_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_settings(tmp_path)
    status, output, messages = check(tmp_path, capsys)
    assert (status, messages) == (0, "")
    assert output.endswith("make-metrics.toml: no faults, 2 receivers\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('nam = "x"', "nam: unknown key"),
        ('send-opt-out = "yes"', "send-opt-out: must be true or false"),
        ("name =", "is not TOML"),
        (f'{FULL_SETTINGS}\n[[sinks]]\ntype = "segmnt"', "segmnt"),
        ('[[sinks]]\ntype = "file"', "name, collected-by, purpose: missing"),
    ],
)
def test_each_fault_is_a_line_and_the_status_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    write_settings(tmp_path, text)
    status, output, messages = check(tmp_path, capsys)
    assert (status, output) == (1, "")
    assert said in messages
    # An error of syntax is followed by the line that has it, and a caret.
    assert all("make-metrics.toml: " in line for line in messages.splitlines() if not line.startswith("    "))


def test_a_library_that_is_missing_here_is_no_fault_of_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    write_settings(tmp_path, f'{FULL_SETTINGS}\n[[sinks]]\ntype = "otlp"\nhost = "https://a.example.org"')
    status, output, messages = check(tmp_path, capsys)
    assert status == 0
    assert "lacks a library" in messages
    assert "no faults" in output


def test_without_a_file_it_says_how_to_write_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, messages = check(tmp_path, capsys)
    assert status == 1
    assert "make-metrics init" in messages
