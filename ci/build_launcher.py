"""Builds the launcher, `hot/launcher`, if there is a C compiler; without one the package is pure Python.

This is a build hook of hatchling (pyproject.toml names it); it runs for wheels and for editable installations. By hand:
`python ci/build_launcher.py`. The compiler is $CC, else musl-gcc if it is installed, else cc.

Why musl: before main() glibc executes CPUID some sixty times, and in a virtual machine the hypervisor answers each one.
There glibc costs 0.3 ms a line, as much as all the rest of the launcher.
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
from typing import Any, NamedTuple

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # run by hand, or by the tests
    BuildHookInterface = object  # type: ignore[assignment,misc]


class Target(NamedTuple):
    """A kind of machine that wheels are built for, elsewhere."""

    zig: str
    tags: str


ROOT = Path(__file__).resolve().parent.parent
PROTOCOL = "mm1"  # tests/hot/test_launcher_constants.py compares it with hot/arguments.py
SOURCE, LAUNCHER = "shim/make_metrics/hot/launcher.c", "shim/make_metrics/hot/launcher"
SOURCES = "shim/make_metrics/hot/in_c"  # which the source includes
WARNINGS = ("-std=c11", "-Wall", "-Wextra", "-Werror")
HARDENING = ("-O2", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2", "-fstack-protector-strong", "-s", "-Wl,-z,relro,-z,now")
# In place of the hardening: undefined behaviour ends the program with a message on standard error.
SANITIZERS = ("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
# The first that works: a static program starts faster, but not every C library is there to be linked statically.
LINKING = (("-static",), ("-fPIE", "-pie"), ())
# make is linked with glibc: have the launcher print glibc's error texts although musl has others.
MUSL = ("musl-gcc", "-DWORDS_OF_GLIBC")
# Of these two only Linux' linker and its static C libraries know.
if sys.platform == "darwin":
    HARDENING, LINKING = HARDENING[:4], ((),)
# For wheels: what ziglang calls a machine, and its wheel's tags. A static launcher needs no C library of the machine.
TARGET_VARIABLE = "MAKE_METRICS_WHEEL"
TARGETS = {
    "linux-x86_64": Target("x86_64-linux-musl", "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64"),
    "linux-aarch64": Target("aarch64-linux-musl", "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64"),
    "macos-x86_64": Target("x86_64-macos.11.0", "macosx_11_0_x86_64"),
    "macos-arm64": Target("aarch64-macos.11.0", "macosx_11_0_arm64"),
}
# To test on Linux what macOS shares with it, "posix" in this variable builds the launcher that asks the system nothing:
# `MAKE_METRICS_LAUNCHER=posix ci/test`.
VARIANT_VARIABLE = "MAKE_METRICS_LAUNCHER"
AS_MACOS = "-DAS_MACOS"  # what the launcher for macOS does around a line, on Linux
_LIMIT_S = 120


class NotBuilt(Exception):  # noqa: N818 - not an error: pure Python works too
    """No launcher can be built here; the message says why."""


def build(target: Path, source: Path | None = None, flags: Sequence[str] = HARDENING) -> None:
    """Compile the launcher, run it once, and move it to `target`; raises NotBuilt if any of that fails."""
    if sys.platform not in ("linux", "darwin"):
        raise NotBuilt("what this system tells about processes is not known (hot/in_c/system_*.c)")
    reason = ""
    chosen = () if AS_MACOS in flags else variant()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".launcher-") as folder:
        launcher = Path(folder) / "launcher"
        for compiler, linking in itertools.product(_compilers(), LINKING):
            words = (*WARNINGS, *chosen, *flags, *linking, "-o", str(launcher), str(source or ROOT / SOURCE))
            command = [*compiler, *words]
            try:
                process = subprocess.run(command, capture_output=True, text=True, timeout=_LIMIT_S, check=False)
                if process.returncode == 0:
                    null = subprocess.DEVNULL
                    ask = [str(launcher), PROTOCOL]
                    subprocess.run(ask, stdin=null, stdout=null, stderr=null, timeout=_LIMIT_S, check=True)
                    launcher.replace(target)
                    return
                reason = process.stderr.strip() or f"{compiler[0]} ended with status {process.returncode}"
            except (OSError, subprocess.SubprocessError) as error:
                reason = str(error)
    raise NotBuilt(reason)


def variant() -> tuple[str, ...]:
    """The compiler's words for the variant that the environment names; raises NotBuilt for an unknown one."""
    name = os.environ.get(VARIANT_VARIABLE, "")
    if name not in ("", "posix"):
        raise NotBuilt(f"{VARIANT_VARIABLE}={name}: there is posix, and none without the variable")
    return ("-DASKS_NOTHING",) if name else ()


def cross_build(target: Path, machine: str, source: Path | None = None) -> None:
    """Compile the launcher for another machine (a key of TARGETS), by ziglang; raises NotBuilt."""
    linux = machine.startswith("linux")
    command = [sys.executable, "-m", "ziglang", "cc", "-target", TARGETS[machine].zig, *WARNINGS, *HARDENING[:4], "-s",
               *(["-static", MUSL[1]] if linux else []), "-o", str(target), str(source or ROOT / SOURCE)]  # fmt: skip
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        raise NotBuilt(process.stderr.strip())


def sanitized(folder: Path) -> Path:
    """Build a launcher with sanitizers in a folder, and give its path; raises NotBuilt if that fails."""
    path = folder / "sanitized-launcher"
    build(path, ROOT / "ci/sanitized_launcher.c", SANITIZERS)
    return path


def posix(folder: Path) -> Path:
    """Build the launcher that asks the system nothing, in a folder, and give its path; raises NotBuilt."""
    path = folder / "posix-launcher"
    build(path, flags=(*HARDENING, "-DASKS_NOTHING"))
    return path


def as_macos(folder: Path) -> Path:
    """Build the launcher that does around a line what macOS's does, and asks /proc; raises NotBuilt."""
    path = folder / "as-macos-launcher"
    build(path, flags=(*HARDENING, AS_MACOS))
    return path


def _compilers() -> list[list[str]]:
    if compiler := os.environ.get("CC"):
        return [shlex.split(compiler)]
    return [[*MUSL], ["cc"]] if shutil.which(MUSL[0]) else [["cc"]]


def _platform() -> str:
    from packaging.tags import platform_tags  # hatchling brings it

    # Not "manylinux": a dynamically linked launcher was never tested with the oldest glibc of those tags.
    return next(tag for tag in platform_tags() if "manylinux" not in tag and "musllinux" not in tag)


class LauncherHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the launcher before hatchling builds a wheel, and gives such a wheel its platform's tag."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Called by hatchling; `version` is "standard" or "editable"."""
        target = Path(self.root) / LAUNCHER
        machine = os.environ.get(TARGET_VARIABLE)
        if machine == "none":
            return
        if machine:  # ci/wheels: a failure ends the build
            cross_build(target, machine, Path(self.root) / SOURCE)
            self._add(build_data, TARGETS[machine].tags)
            return
        try:
            build(target, Path(self.root) / SOURCE)  # replaces one that may be in use
        except NotBuilt as error:
            target.unlink(missing_ok=True)  # it may be compiled from an older source
            self.app.display_warning(f"no compiled fast path, the Python shim serves: {error}")
            return
        self._add(build_data, _platform())

    def _add(self, build_data: dict[str, Any], tags: str) -> None:
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{tags}"
        build_data["artifacts"].append(f"/{LAUNCHER}")  # version control ignores it


def main() -> int:
    """Build the launcher in place."""
    try:
        build(ROOT / LAUNCHER)
    except NotBuilt as error:
        sys.stderr.write(f"no compiled fast path: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
