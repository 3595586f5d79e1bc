"""What is a recipe line, where make 4.4 and later make it hard to tell."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.shim_calls import Make, shim_words


@pytest.mark.asks_system
@pytest.mark.parametrize("reader", ["there", "gone"])
def test_a_line_whose_make_is_gone_is_no_shell_function(make: Make, shim: Sequence[str], reader: str) -> None:
    """From make 4.4 a pipe tells `$(shell)`. This process is no make: it stands for whoever adopts an orphan."""
    words = shim_words("exit 3", make.state, make="0:4.4.1:make:f")
    reading, writing = os.pipe()
    if reader == "gone":  # nobody but make reads what $(shell) writes
        os.close(reading)
    process = make.start(shim, words, stdout=writing)
    os.close(writing)
    assert process.wait(60) == 3
    if reader == "there":
        os.close(reading)
    assert [entry[1] for entry in make.take_entries()] == (["target"] if reader == "there" else [])


@pytest.mark.asks_system
def test_a_shell_function_of_a_living_make_is_none_of_its_lines(
    make: Make, shim: Sequence[str], tmp_path: Path
) -> None:
    make_itself = tmp_path / "make"
    make_itself.symlink_to("/bin/sh")
    words = [*shim, *map(os.fsdecode, shim_words("echo said", make.state, make="0:4.4.1:make:f"))]
    process = make.start([str(make_itself), "-c", 'said=$("$@"); [ "$said" = said ] && exit 4', "sh"], words)
    assert process.wait(60) == 4
    assert make.take_entries() == ()


@pytest.mark.parametrize(
    ("shell", "flags", "line", "version", "started"),
    [
        ("/nowhere/sh", ["-c"], ":", "4.3", False),
        ("bash", ["-ec"], ":", "4.4.1", False),
        ("/nowhere/sh", ["-c"], ": ", "4.3", True),
        ("/nowhere/sh", ["-euc"], ":", "4.3", True),
        ("/nowhere/sh", ["-e", "-c"], ":", "4.3", True),
        ("/nowhere/fish", ["-c"], ":", "4.3", True),
        ("/nowhere/sh", ["-c"], ":", "3.81", True),
        ("/bin/sh", ["-c"], ":", "3.81", False),
    ],
)
def test_for_a_colon_alone_no_shell_is_started(
    make: Make, shim: Sequence[str], shell: str, flags: list[str], line: str, version: str, started: bool
) -> None:
    words = shim_words(line, make.state, shell=[shell], flags=flags, make=f"0:{version}:make:f")  # noqa: S604 - not subprocess
    outcome = make.run(shim, words, env=make.environment(PATH="/nowhere", BASH_ENV="/nowhere"))
    assert outcome.status == (127 if started else 0)
    assert len(outcome.entries) == 1
