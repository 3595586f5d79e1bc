"""Build real C projects by plain make and with the include line, and compare: `ci/real-projects`.

The sources and their makefiles come from Debian's archive (`apt-get source`). Compared are the exit status, the output,
and the files left: names, modes and bytes. Needs a network, a C compiler and apt.
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
    """A Debian source package, its makefiles that get the include line, and the words of each call of make."""

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
    """Fetch and unpack the sources below a folder; their folders by name."""
    private_directory(folder)
    for part in ("lists/partial", "sources"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    sources = folder / "sources.list"
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    sources.write_text(f"deb-src [signed-by={keyring}] {MIRROR} {SUITE} main\n")
    options = [f"-oDir::Etc::SourceList={sources}", "-oDir::Etc::SourceParts=-", f"-oDir::State::Lists={folder}/lists",
               "-oAPT::Sandbox::User=root"]  # fmt: skip
    subprocess.run(["apt-get", *options, "-qq", "update"], check=True)
    trees = {}
    for name in names:
        package = folder / "sources" / name
        if not package.exists():
            package.mkdir()
            subprocess.run(["apt-get", *options, "-qq", "source", "--download-only", name], cwd=package, check=True)
            archive = next(path for path in package.iterdir() if ".orig.tar" in path.name and path.suffix != ".asc")
            (package / "tree").mkdir()
            subprocess.run(["tar", "-xf", archive, "-C", package / "tree", "--strip-components=1"], check=True)
        trees[name] = package / "tree"
    return trees


def build(
    project: Project, source: Path, work: Path, make: str, line: str | None
) -> tuple[dict[str, list[str]], float]:
    """Build a fresh copy at `work`; status, output and files, and the seconds that the makes took."""
    shutil.rmtree(work, ignore_errors=True)
    shutil.copytree(source, work, symlinks=True)
    if line:
        for name in project.makefiles:
            with (work / name).open("ab") as makefile:
                makefile.write(b"\n" + line.encode() + b"\n")
    env = {"PATH": os.environ["PATH"], "HOME": str(work.parent), "LC_ALL": "C", "SOURCE_DATE_EPOCH": "1"}
    outcome: dict[str, list[str]] = {"status": [], "output": [], "files": []}
    if project.configure:
        subprocess.run(project.configure, cwd=work, env=env, check=True, capture_output=True)
    began = time.monotonic()
    for call in project.calls:
        done = subprocess.run([make, *call], cwd=work, env=env, text=True, check=False, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
        outcome["status"].append(f"{' '.join(call)}: {done.returncode}")
        outcome["output"] += sorted(done.stdout.splitlines())  # -j: in any order
    seconds = time.monotonic() - began
    for path in sorted(work.rglob("*")):
        status = path.lstat()
        name = str(path.relative_to(work))
        is_file = stat.S_ISREG(status.st_mode) and name not in (*project.makefiles, "Makefile", "configure.log")
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16] if is_file else ""
        outcome["files"].append(f"{stat.filemode(status.st_mode)} {digest} {name}")
    return outcome, seconds


def main(words: Sequence[str] | None = None) -> int:
    """Build the projects in both ways; 1 if anything differs."""
    parser = argparse.ArgumentParser(prog="ci/real-projects", description=__doc__)
    parser.add_argument("--make", default="/usr/bin/make")
    parser.add_argument("--sources", type=Path, help="a folder to keep the fetched sources in")
    parser.add_argument("project", nargs="*", choices=[[], *(project.name for project in PROJECTS)])
    options = parser.parse_args(words)
    chosen = [project for project in PROJECTS if not options.project or project.name in options.project]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="mm-real-") as root:
        home = Path(root)
        sources = fetch([project.name for project in chosen], options.sources or home / "fetched")
        paths = Paths(data=home / "data", config=home / "config", state=home / "state")
        private_directory(paths.data)
        paths.fragment.write_text(fragment.render(paths))
        include = fragment.include_line(paths)
        print("| project | exit status | files | targets measured | plain | ours | differences |")
        print("|---|---|---|---|---|---|---|")
        for project in chosen:
            plain, plain_s = build(project, sources[project.name], home / "work", options.make, None)
            ours, ours_s = build(project, sources[project.name], home / "work", options.make, include)
            lines = differences(plain, ours)
            failed += bool(lines)
            statuses = ", ".join(dict.fromkeys(status.rpartition(": ")[2] for status in plain["status"]))
            measured = len(events.take_events(paths.state))
            cells = (project.name, statuses, len(plain["files"]), measured, f"{plain_s:.1f} s", f"{ours_s:.1f} s",
                     len(lines) or "none")  # fmt: skip
            print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)
            for line in lines[:20]:
                print(f"    {line[:200]}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
