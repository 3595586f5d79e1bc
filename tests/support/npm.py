"""Packages of npm that tests run: each is installed once, in a folder beside the tests' environment."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

_INSTALL_S = 200
# npm tries a registry that it cannot reach three times, which takes 70 seconds.
_OPTIONS = ["--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-retry-mintimeout=1000"]


def folder(package: str, version: str) -> Path:
    """Where a package stands once it is installed."""
    return _home(package, version) / "node_modules" / package


@cache  # each test would wait again
def cannot_install(package: str, version: str) -> str:
    """Install a package unless it is there; the reason if that is impossible, else empty."""
    if not shutil.which("node") or not shutil.which("npm"):
        return f"no npm here: {package} cannot be installed"
    if folder(package, version).is_dir():
        return ""
    home = _home(package, version)
    with tempfile.TemporaryDirectory(dir=home.parent, prefix=".npm-") as scratch:
        command = ["npm", "install", *_OPTIONS, f"--prefix={scratch}", f"{package}@{version}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_S, check=False)
        except subprocess.TimeoutExpired:
            return f"the npm registry does not answer: {package} cannot be installed"
        if done.returncode:
            return f"npm cannot install {package}: {done.stderr.strip()[-200:]}"
        home.mkdir(parents=True, exist_ok=True)
        (Path(scratch) / "node_modules").replace(home / "node_modules")
    return ""


def _home(package: str, version: str) -> Path:
    return Path(sys.prefix) / f"npm-{package.rpartition('/')[2]}-{version}"
