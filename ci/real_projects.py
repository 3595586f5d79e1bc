"""`ci/real-projects`: real C projects built by plain make and with the include line, and what they leave compared.

The sources come from Debian's archive (`apt-get source`), with their own makefiles. Compared are the exit status, what
is printed, the files left (names, modes) and their bytes. Needs a network, a C compiler and apt.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ci.conformance import events
from ci.conformance.report import differences
from make_metrics.files.paths import Paths, private_directory
from make_metrics.setup import fragment

MIRROR = "http://deb.debian.org/debian"
SUITE = "bookworm"


@dataclass(frozen=True, slots=True)
class Project:
    """A Debian source package: its makefiles that get the line, and the goals that are built, a make call each."""

    name: str
    makefiles: tuple[str, ...]
    calls: tuple[tuple[str, ...], ...]
    configure: tuple[str, ...] = ()


PROJECTS = (
    Project("bzip2", ("Makefile",), (("-j2", "bzip2", "bzip2recover", "libbz2.a"), ("test",))),
    Project("lua5.4", ("Makefile", "src/Makefile"), (("-j2", "linux"), ("echo",))),
    Project("lz4", ("Makefile", "lib/Makefile", "programs/Makefile"), (("-j2", "lib"), ("-j2", "lz4"))),
    Project("zlib", ("Makefile.in",), (("-j2", "static"), ("-j2", "all"), ("check",)), ("./configure",)),
)  # fmt: skip


def fetch(names: Sequence[str], folder: Path) -> dict[str, Path]:
    """The unpacked sources, by name; apt keeps its lists below the folder."""
    private_directory(folder)
    for part in ("lists/partial", "sources"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    sources = folder / "sources.list"
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    sources.write_text(f"deb-src [signed-by={keyring}] {MIRROR} {SUITE} main\n")
    options = [f"-oDir::Etc::SourceList={sources}", "-oDir::Etc::SourceParts=-", f"-oDir::State::Lists={folder}/lists",
               "-oAPT::Sandbox::User=root"]  # fmt: skip
    subprocess.run(["apt-get", *options, "-qq", "update"], check=True)
    found = {}
    for name in names:
        place = folder / "sources" / name
        if not place.exists():
            place.mkdir()
            subprocess.run(["apt-get", *options, "-qq", "source", "--download-only", name], cwd=place, check=True)
            archive = next(path for path in place.iterdir() if ".orig.tar" in path.name and path.suffix != ".asc")
            (place / "tree").mkdir()
            subprocess.run(["tar", "-xf", archive, "-C", place / "tree", "--strip-components=1"], check=True)
        found[name] = place / "tree"
    return found


def build(
    project: Project, source: Path, work: Path, make: str, line: str | None
) -> tuple[dict[str, list[str]], float]:
    """Build a fresh copy at `work`; what can be seen of it, and how many seconds the makes took."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(source, work, symlinks=True)
    if line:
        for name in project.makefiles:
            with (work / name).open("ab") as makefile:
                makefile.write(b"\n" + line.encode() + b"\n")
    env = {"PATH": os.environ["PATH"], "HOME": str(work.parent), "LC_ALL": "C", "SOURCE_DATE_EPOCH": "1"}
    seen: dict[str, list[str]] = {"status": [], "output": [], "files": []}
    if project.configure:
        subprocess.run(project.configure, cwd=work, env=env, check=True, capture_output=True)
    began = time.monotonic()
    for call in project.calls:
        done = subprocess.run([make, *call], cwd=work, env=env, text=True, check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        seen["status"].append(f"{' '.join(call)}: {done.returncode}")
        seen["output"] += sorted(done.stdout.splitlines())  # -j: in any order
    took = time.monotonic() - began
    for path in sorted(work.rglob("*")):
        found = path.lstat()
        name = str(path.relative_to(work))
        is_file = stat.S_ISREG(found.st_mode) and name not in (*project.makefiles, "Makefile", "configure.log")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16] if is_file else ""
        seen["files"].append(f"{stat.filemode(found.st_mode)} {digest} {name}")
    return seen, took


def main(words: Sequence[str] | None = None) -> int:
    """Build all projects both ways; 1 if anything differs."""
    ask = argparse.ArgumentParser(prog="ci/real-projects", description=__doc__)
    ask.add_argument("--make", default="/usr/bin/make")
    ask.add_argument("--sources", type=Path, help="a folder that keeps what was fetched")
    ask.add_argument("project", nargs="*", choices=[[], *(project.name for project in PROJECTS)])
    asked = ask.parse_args(words)
    chosen = [project for project in PROJECTS if not asked.project or project.name in asked.project]
    bad = 0
    with tempfile.TemporaryDirectory(prefix="mm-real-") as root:
        home = Path(root)
        sources = fetch([project.name for project in chosen], asked.sources or home / "fetched")
        paths = Paths(data=home / "data", config=home / "config", state=home / "state")
        private_directory(paths.data)
        paths.fragment.write_text(fragment.render(paths))
        line = fragment.include_line(paths)
        print("| project | exit status | files | targets measured | plain | ours | differences |")
        print("|---|---|---|---|---|---|---|")
        for project in chosen:
            plain, first = build(project, sources[project.name], home / "work", asked.make, None)
            ours, second = build(project, sources[project.name], home / "work", asked.make, line)
            found = differences(plain, ours)
            bad += bool(found)
            statuses = ", ".join(dict.fromkeys(status.rpartition(": ")[2] for status in plain["status"]))
            measured = len(events.take_events(paths.state))
            cells = (project.name, statuses, len(plain["files"]), measured, f"{first:.1f} s", f"{second:.1f} s",
                     len(found) or "none")  # fmt: skip
            print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)
            for changed in found[:20]:
                print(f"    {changed[:200]}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
