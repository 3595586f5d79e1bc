"""What the walk loads later, or not at all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from make_metrics.walk import start
from tests.support.project import SOURCE


@pytest.mark.parametrize("name", start.LATER)
def test_a_module_that_is_loaded_later_is_the_module(name: str) -> None:
    code = f"""
import sys
sys.path += {[str(SOURCE), str(Path(psutil.__file__).parent.parent)]!r}
from make_metrics.processes.later import Later
sys.modules.pop({name!r}, None)
later = sys.modules[{name!r}] = Later({name!r})
import {name} as first
assert first is later
names = first.__all__
import {name} as second
assert second is not later and type(second) is type(sys)
assert all(getattr(first, name) is getattr(second, name) for name in names)
from {name} import *
import psutil
assert psutil.Process().cmdline()
"""
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)
