"""Builds a wheel for each kind of machine, and the source distribution, and checks them: `ci/wheels [DIST]`.

ziglang compiles the launcher for all of them on one machine: it brings a C library and its headers for each. The wheels
are built twice, in two folders, and must have the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ci import mach_o
from ci.build_launcher import LAUNCHER, ROOT, TARGET_VARIABLE, TARGETS

_MEMBER = LAUNCHER.removeprefix("shim/")
# What a program is known by: the first bytes of ELF or Mach-O, and where its machine stands (elf.h, mach-o/loader.h).
_MACHINES = {
    "linux-x86_64": (b"\x7fELF\x02\x01", slice(18, 20), b"\x3e\x00"),
    "linux-aarch64": (b"\x7fELF\x02\x01", slice(18, 20), b"\xb7\x00"),
    "macos-x86_64": (b"\xcf\xfa\xed\xfe", slice(4, 8), b"\x07\x00\x00\x01"),
    "macos-arm64": (b"\xcf\xfa\xed\xfe", slice(4, 8), b"\x0c\x00\x00\x01"),
}


class Wrong(Exception):  # noqa: N818 - what is wrong with a wheel
    """A wheel is not what it should be; the message says how."""


def build_all(folder: Path, dist: Path) -> None:
    """Build all wheels and the source distribution of a checkout; raises CalledProcessError."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": _commit_time()}
    for target in (*TARGETS, ""):
        _hatch(folder, dist, "wheel", {**environment, TARGET_VARIABLE: target or "none"})
    _hatch(folder, dist, "sdist", environment)


def _hatch(folder: Path, dist: Path, kind: str, environment: dict[str, str]) -> None:
    words = [sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", str(dist)]
    subprocess.run(words, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)


def _commit_time() -> str:
    words = ["git", "log", "-1", "--format=%ct"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def _checkout(folder: Path) -> Path:
    """A copy of the files that git knows, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    for name in filter(None, listed):
        source, target = ROOT / os.fsdecode(name), folder / os.fsdecode(name)
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return folder


def _hashes(dist: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(dist.iterdir())}


def wheel_of(dist: Path, target: str) -> Path:
    """The wheel of a target, "" for the pure one; raises Wrong if there is not just one."""
    tag = TARGETS[target].tags if target else "any"
    wheels = list(dist.glob(f"*-py3-none-{tag}.whl"))
    if len(wheels) != 1:
        raise Wrong(f"{len(wheels)} wheels for {tag} in {dist}")
    return wheels[0]


def launcher_in(wheel: Path) -> bytes | None:
    """The launcher in a wheel; None for a pure one. Raises Wrong if it could not be executed once installed."""
    with zipfile.ZipFile(wheel) as archive:
        if _MEMBER not in archive.namelist():
            return None
        if archive.getinfo(_MEMBER).external_attr >> 16 & 0o111 != 0o111:
            raise Wrong(f"{wheel.name}: the launcher is not executable")
        return archive.read(_MEMBER)


def check_launchers(dist: Path) -> Iterator[str]:
    """Check that each wheel has the launcher of its machine, linked as it must be; gives what was checked."""
    if launcher_in(wheel_of(dist, "")) is not None:
        raise Wrong("the pure wheel has a launcher")
    for target, (start, place, machine) in _MACHINES.items():
        wheel = wheel_of(dist, target)
        program = launcher_in(wheel)
        if program is None or not program.startswith(start) or program[place] != machine:
            raise Wrong(f"{wheel.name}: its launcher is not for {target}")
        if target.startswith("linux") and b"ld-linux" in program:
            raise Wrong(f"{wheel.name}: its launcher is not static, and so not for every C library")
        yield f"{wheel.name}: {len(program) >> 10} KiB launcher"


def check_for_macos(dist: Path) -> Iterator[str]:
    """Check that macOS would run its launchers, from the oldest one of the wheel's tag on; gives what was checked."""
    for target in TARGETS:
        wheel = wheel_of(dist, target)
        tag = re.fullmatch(r"macosx_(\d+)_(\d+)_\w+", TARGETS[target].tags)
        if tag is None:
            continue
        signed = target == "macos-arm64"  # Apple's ARM machines run no program without a signature
        try:
            mach_o.check(launcher_in(wheel) or b"", (int(tag[1]), int(tag[2])), signed=signed)
        except mach_o.Unsuitable as reason:
            raise Wrong(f"{wheel.name}: its launcher would not run: {reason}") from reason
        yield f"{wheel.name}: for macOS {tag[1]}.{tag[2]}, {'signed, ' if signed else ''}no library but the system's"


def check_with_tools(dist: Path) -> None:
    """Have twine, check-wheel-contents and auditwheel look at all; raises Wrong with what they say."""
    wheels = sorted(map(str, dist.glob("*.whl")))
    audited = [str(wheel_of(dist, target)) for target in TARGETS if target.startswith("linux")]
    for words in (
        ["twine", "check", "--strict", *map(str, sorted(dist.iterdir()))],
        # W002: completions and the man page are there twice, for the package and for the shells.
        ["check_wheel_contents", "--ignore", "W002", "--toplevel", "make_metrics", *wheels],
        *(["auditwheel", "show", wheel] for wheel in audited),
    ):
        done = subprocess.run([sys.executable, "-m", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Wrong(f"{words[0]} says:\n{done.stdout}{done.stderr}")


def this_target() -> str:
    """This machine's key in TARGETS."""
    return f"{'macos' if sys.platform == 'darwin' else 'linux'}-{os.uname().machine}"


def try_here(dist: Path, folder: Path, python: str = sys.executable) -> str:
    """Install this machine's wheel in a fresh environment and home, without a compiler, and build by it.

    Gives what doctor says of the fast path; raises Wrong if it is not used, or if nothing is recorded.
    """
    folder.mkdir(exist_ok=True)
    environment, home, project = folder / "environment", folder / "home", folder / "project"
    subprocess.run([python, "-m", "venv", environment], check=True)
    wheel = wheel_of(dist, this_target())
    pip = [str(environment / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", str(wheel)]
    subprocess.run(pip, check=True)
    for path in (home, project):
        path.mkdir()
    (project / "Makefile").write_text("all:\n\t@echo built\n")
    tools = folder / "tools"
    tools.mkdir()
    for name in ("make", "sh", "echo"):
        (tools / name).symlink_to(shutil.which(name) or name)
    # Apple's programs find their own by the path that they are started by; the wheel needs no compiler anyway.
    programs = "/usr/bin:/bin" if sys.platform == "darwin" else str(tools)
    variables = {"HOME": str(home), "PATH": f"{environment}/bin:{programs}"}

    def run(*words: str) -> str:
        done = subprocess.run(words, cwd=project, env=variables, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Wrong(f"{wheel.name}: {' '.join(words)} says {done.stdout}{done.stderr}")
        return done.stdout

    run("make-metrics", "setup", "--add")
    if run("make") != "built\n" or "\nall " not in run("make-metrics", "report"):
        raise Wrong(f"{wheel.name}: make is not recorded")
    said = next((line for line in run("make-metrics", "doctor").splitlines() if "fast path" in line), "")
    if "hot/launcher" not in said or "interpreter" in said:
        raise Wrong(f"{wheel.name}: doctor says: {said}")
    return " ".join(said.split())


# Set-up as it would run on an ARM machine: its kind, and a launcher that runs.
_AS_ARM = (
    "import sys; from make_metrics.setup import fragment; "
    "fragment.kind_of_machine = lambda: 'arm'; "
    "fragment.launcher = lambda: fragment.entry().with_name('hot') / 'launcher'; "
    "from make_metrics.cli import main; sys.exit(main(['setup']))"
)


def try_shared_home(dist: Path, folder: Path) -> str:
    """Unpack the ARM wheel beside the environment of `try_here`, and set up the same home from it too.

    Gives what was checked; raises Wrong if make does not take the files of the kind of machine that it was built for.
    """
    home, package = folder / "home", folder / "arm"
    with zipfile.ZipFile(wheel_of(dist, "linux-aarch64")) as archive:
        archive.extractall(package)
    variables = {"HOME": str(home), "PATH": f"{folder}/environment/bin:{folder}/tools", "PYTHONPATH": str(package)}
    words = [str(folder / "environment/bin/python"), "-c", _AS_ARM]
    subprocess.run(words, env=variables, stdout=subprocess.DEVNULL, check=True)
    text = (home / ".local/share/make-metrics/metrics.mk").read_text()
    chosen = {}
    for machine in ("here", "x86_64", "aarch64", "riscv64"):
        fragment = folder / "metrics.mk"
        fragment.write_text(text if machine == "here" else text.replace("$(MAKE_HOST)", f"{machine}-pc-linux-gnu"))
        makefile = f"all:\ninclude {fragment}\n$(info $(.metrics.baked.launcher))\n"
        output = subprocess.check_output(["make", "-f", "-"], input=makefile, env=variables, text=True)
        chosen[machine] = output.splitlines()[0]
    installed = next(folder.glob("environment/lib/python*/site-packages/make_metrics/hot/launcher"))
    expected = {"x86_64": str(installed), "aarch64": str(package / "make_metrics/hot/launcher"), "riscv64": ""}
    if chosen != {"here": expected[os.uname().machine], **expected}:
        raise Wrong(f"in a home for x86-64 and ARM make takes {chosen}")
    return "make takes the launcher of its own kind of machine in a home of both"


def main(words: Sequence[str] | None = None) -> int:
    """Build, check, and say what was checked; the exit status is 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="ci/wheels", description=__doc__.partition("\n")[0])
    parser.add_argument("dist", nargs="?", type=Path, default=ROOT / "dist", help="where to put them (default: dist)")
    parser.add_argument(
        "--python", action="append", default=[], help="another interpreter to install by; may be repeated"
    )
    parser.add_argument(
        "--try", action="store_true", dest="tries", help="only install this machine's from there, and use it"
    )
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="make-metrics-wheels-") as scratch:
        if options.tries:
            try:
                print(try_here(options.dist, Path(scratch) / "try"))
            except Wrong as reason:
                print(f"ci/wheels: {reason}", file=sys.stderr)
                return 1
            return 0
        dists = []
        for name in ("first", "the second/in another place"):
            dists.append(Path(scratch) / name / "dist")
            build_all(_checkout(Path(scratch) / name / "source"), dists[-1])
        try:
            if _hashes(dists[0]) != _hashes(dists[1]):
                raise Wrong(f"built twice, the files differ: {_hashes(dists[0])}, {_hashes(dists[1])}")
            for text in (*check_launchers(dists[0]), *check_for_macos(dists[0])):
                print(text)
            check_with_tools(dists[0])
            for number, python in enumerate([sys.executable, *options.python]):
                said = try_here(dists[0], Path(scratch) / f"try{number}", python)
                print(f"installed without a compiler by {python}: {said}")
            print(try_shared_home(dists[0], Path(scratch) / "try0"))
        except Wrong as reason:
            print(f"ci/wheels: {reason}", file=sys.stderr)
            return 1
        options.dist.mkdir(parents=True, exist_ok=True)
        for path in dists[0].iterdir():
            shutil.copy2(path, options.dist)
        print(f"the same bytes when built twice; twine, check-wheel-contents and auditwheel agree: {options.dist}")
        return 0


if __name__ == "__main__":
    raise SystemExit(main())
