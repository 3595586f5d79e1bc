"""`python -m tests.support.sentry_receiver`: installs bugsink, a real receiver for the tests, with an empty database.

It speaks Sentry's protocol and keeps all in SQLite. It brings Django and much else, in versions of its own choice, and
so has an environment to itself, `.venv/bugsink`, which is made once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".venv" / "bugsink"
VERSION = "2.6.1"
SERVER = Path(__file__).with_name("sentry_receiver_server.py")
_LIMIT_S = 300


def python() -> Path:
    """The interpreter of its environment."""
    return FOLDER / "bin" / "python"


def serving(folder: Path) -> list[Path | str]:
    """The words that start it with everything below a folder."""
    return [python(), "-P", SERVER, folder]


def database() -> Path:
    """The empty database, to be copied."""
    return FOLDER / f"empty-{VERSION}.sqlite3"


def install() -> None:
    """Make the environment and the database, unless they are there; raises OSError or subprocess.SubprocessError."""
    if database().exists():
        return
    FOLDER.parent.mkdir(exist_ok=True)
    with FileLock(FOLDER.with_suffix(".lock")).acquire(timeout=_LIMIT_S):
        if database().exists():
            return
        shutil.rmtree(FOLDER, ignore_errors=True)
        venv.create(FOLDER, with_pip=True)
        pip: list[Path | str] = [python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "--retries", "1", "--timeout", "20", f"bugsink=={VERSION}"])
        scratch = FOLDER / "scratch"
        scratch.mkdir()
        _run([*serving(scratch), "--prepare"])
        (scratch / "bugsink.sqlite3").rename(database())


def _run(words: Sequence[Path | str]) -> None:
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    subprocess.run(words, env=environ, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=_LIMIT_S)


def main() -> int:
    """Install it, and say how long that took; 1 if it could not be had, which skips tests and fails none."""
    began = time.monotonic()
    try:
        install()
    except (OSError, subprocess.SubprocessError) as error:
        print(f"bugsink cannot be had, tests with it are skipped: {error}", file=sys.stderr)
        return 1
    print(f"bugsink {VERSION}: {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
