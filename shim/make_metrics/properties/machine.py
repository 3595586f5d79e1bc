"""Metrics of the machine that make ran on: its operating system and its processor."""

from __future__ import annotations

import platform
import re
import sys

from make_metrics.properties.facts import RunFacts
from make_metrics.properties.metric import Metric

_OTHER = "other"


class System(Metric):
    """The operating system."""

    identifier = "os"
    kind = "string"
    values = "linux, macos, freebsd or other"
    purpose = "which systems the build has to work on"
    example = "linux"
    scope = "run"
    choices = ("linux", "macos", "freebsd", _OTHER)

    def value(self, run: RunFacts) -> str | None:
        """This machine's system; None if make ran elsewhere."""
        return _system() if run.here else None


class SystemVersion(Metric):
    """The operating system's version: a Linux distribution's name and version, or the system's own version."""

    identifier = "os_version"
    kind = "string"
    values = "a version, behind the distribution's name on Linux, such as debian-12; left out where it is not known"
    purpose = "which versions of systems the build has to work on"
    example = "debian-12"
    scope = "run"
    pattern = "[a-z0-9][a-z0-9._-]{0,39}"

    def value(self, run: RunFacts) -> str | None:
        """This machine's version; None if make ran elsewhere, or if it is not known."""
        return _version() if run.here else None


class Architecture(Metric):
    """The processor's architecture."""

    identifier = "cpu_architecture"
    kind = "string"
    values = "what uname -m says, such as x86_64 or arm64"
    purpose = "which processors the build has to work on"
    example = "x86_64"
    scope = "run"
    pattern = "[a-z0-9_]{1,20}"

    def value(self, run: RunFacts) -> str | None:
        """This machine's architecture; None if make ran elsewhere, or if it is not known."""
        return (platform.machine().lower() or None) if run.here else None


def _system() -> str:
    names = {"linux": "linux", "darwin": "macos", "freebsd": "freebsd"}
    return next((name for prefix, name in names.items() if sys.platform.startswith(prefix)), _OTHER)


def _version() -> str | None:
    if sys.platform == "darwin":
        return platform.mac_ver()[0] or None
    if sys.platform.startswith("linux"):
        try:
            release = platform.freedesktop_os_release()
        except OSError:
            return None
        words = release.get("ID", ""), release.get("VERSION_ID", "")
        return "-".join(word for word in words if word).lower() or None
    version = re.match(r"[0-9]+(\.[0-9]+)*", platform.release())
    return version[0] if version else None
