"""Builds the compiled fast path, `hot/launcher`, where there is a C compiler; elsewhere the package is pure Python.

A build hook of hatchling (pyproject.toml names it), which runs for wheels and for editable installations. The compiler
is $CC, else musl-gcc if there is one, else cc. By hand: `python ci/build_launcher.py`.

Why musl: before main() glibc asks the processor for its features some sixty times, and in a virtual machine each answer
comes from the hypervisor. There a line costs 0.3 ms more with it, as much as all the rest of the launcher.
"""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, or by the tests
    BuildHookInterface = object  # type: ignore[assignment,misc]

ROOT = Path(__file__).resolve().parent.parent
SOURCE, LAUNCHER = "shim/make_metrics/hot/launcher.c", "shim/make_metrics/hot/launcher"
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Werror")
HARDENING = ("-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong", "-s", "-Wl,-z,relro,-z,now")
# Instead of these: what C leaves undefined ends the program, and is told on standard error.
SANITIZERS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
# A static program starts in less time; not every C library can be linked so.
LINKING = (("-static",), ("-fPIE", "-pie"), ())
# What glibc's make says of a program that cannot be started, with another library's strerror(3).
MUSL = ("musl-gcc", "-DWORDS_OF_GLIBC")
_LIMIT_S = 120


class NotBuilt(Exception):  # noqa: N818 - not an error: pure Python works too
    """There is no launcher here; the message says why."""


def build(target: Path, source: Path | None = None, flags: Sequence[str] = HARDENING) -> None:
    """Compile the launcher, and put it in its place once it has run; raises NotBuilt if that cannot be."""
    if sys.platform != "linux":
        raise NotBuilt("it needs /proc")
    why = ""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".launcher-") as folder:
        made = Path(folder) / "launcher"
        for compiler, linking in itertools.product(_compilers(), LINKING):
            command = [*compiler, *WARNINGS, *flags, *linking, "-o", str(made), str(source or ROOT / SOURCE)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
                if done.returncode == 0:
                    nowhere = subprocess.DEVNULL
                    subprocess.run([made, "mm1"], stdin=nowhere, stderr=nowhere, timeout=_LIMIT_S, check=True)
                    made.replace(target)
                    return
                why = done.stderr.strip() or f"{compiler[0]} ended with status {done.returncode}"
            except (OSError, subprocess.SubprocessError) as error:
                why = str(error)
    raise NotBuilt(why)


def sanitized(folder: Path) -> Path:
    """A launcher in a folder with the compiler's checks built in; raises NotBuilt if that cannot be."""
    path = folder / "sanitized-launcher"
    build(path, ROOT / "ci/sanitized_launcher.c", SANITIZERS)
    return path


def _compilers() -> list[list[str]]:
    if given := os.environ.get("CC"):
        return [shlex.split(given)]
    return [[*MUSL], ["cc"]] if shutil.which(MUSL[0]) else [["cc"]]


def _platform() -> str:
    from packaging.tags import platform_tags  # hatchling brings it

    # Not "manylinux": nobody has checked a dynamic launcher against the oldest of those.
    return next(tag for tag in platform_tags() if "manylinux" not in tag and "musllinux" not in tag)


class LauncherHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the launcher before a wheel is put together, and gives such a wheel its platform's tag."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Called by hatchling; `version` is "standard" or "editable"."""
        target = Path(self.root) / LAUNCHER
        target.unlink(missing_ok=True)  # one that an older source was compiled to
        try:
            build(target, Path(self.root) / SOURCE)
        except NotBuilt as reason:
            self.app.display_warning(f"no compiled fast path, the Python shim serves: {reason}")
            return
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{_platform()}"
        build_data["artifacts"].append(f"/{LAUNCHER}")  # version control ignores it


def main() -> int:
    """Build in place."""
    try:
        build(ROOT / LAUNCHER)
    except NotBuilt as reason:
        sys.stderr.write(f"no compiled fast path: {reason}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
