from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# What is kept lies between what is freed, so that the heap's end stays where it is.
_PROGRAM = """
from pathlib import Path
from make_metrics.server.memory import give_back, use_few_heaps

def held() -> int:
    return int(Path("/proc/self/status").read_text().partition("RssAnon:")[2].split()[0])

use_few_heaps()
kept = [bytes(1_000) + bytes([number % 256]) for number in range(60_000)][::1_000]
before = held()
give_back()
print(before - held())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps less")
def test_memory_that_is_free_goes_back_to_the_system() -> None:
    given = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=True)
    assert int(given.stdout) > 30_000  # KiB of 60,000
