"""Programs that a test uses and that may be missing here."""

from __future__ import annotations

import shutil

import pytest


def needs(*programs: str) -> None:
    """Skip the test where a program is missing."""
    if missing := [program for program in programs if not shutil.which(program)]:
        pytest.skip(f"no {' '.join(missing)} here")
