"""Run the test suite that GNU make ships with, with plain make and with the include line: `python -m ci.make_suite`.

    apt-get source make-dfsg            # or any other source of GNU make; its folder tests/ is used
    python -m ci.make_suite make-dfsg-4.3 --make /usr/bin/make

The include line is put at the end of every makefile that a test hands to make. Root runs the suite as the user nobody,
as some tests fail for root. Prints each test file whose result differs; the exit status is 1 if there is one that is
not among those named by `--differs`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from make_metrics.files.paths import Paths
from make_metrics.setup import fragment

# Stands in place of make: ends the makefile with the include line, then becomes make, under its own name.
_IN_PLACE_OF_MAKE = """#!{python} -IS
import os, sys
line, words, names = {line!r}, sys.argv[1:], []
for at, word in enumerate(words):
    if word in ("-f", "--file", "--makefile") and at + 1 < len(words):
        names.append(words[at + 1])
    elif word[:2] == "-f" and len(word) > 2:
        names.append(word[2:])
    elif word.startswith(("--file=", "--makefile=")):
        names.append(word.partition("=")[2])
for name in names or ["GNUmakefile", "makefile", "Makefile"]:
    try:
        status = os.stat(name)
        if not line or status.st_mode & 0o170000 != 0o100000:
            continue
        with open(name, "rb+") as file:
            text = file.read()
            if line not in text:
                file.write((b"" if not text or text.endswith(b"\\n") else b"\\n") + line + b"\\n")
        os.utime(name, ns=(status.st_atime_ns, status.st_mtime_ns))
    except OSError:
        continue
    if not names:
        break
os.execv({make!r}, [sys.argv[0], *words])
"""
_RESULT = re.compile(r"^(\S+/\S+) \.+ (.*)$", re.MULTILINE)


def run(
    source: Path, make: Path, folder: Path, *, line: str, user: int | None, only: Sequence[str] = ()
) -> dict[str, str]:
    """Run the suite, or some tests, in a folder of its own: the result of each test file, in the suite's words."""
    tests = folder / "tests"
    shutil.copytree(source / "tests", tests, symlinks=True)
    (folder / "src").mkdir()
    shutil.copy(source / "src/gnumake.h", folder / "src")
    flags = (tests / "config-flags.pm.in").read_text()
    (tests / "config-flags.pm").write_text(re.sub(r"@\w+@", "", flags))
    program = folder / "make"
    program.write_text(_IN_PLACE_OF_MAKE.format(python=sys.executable, line=line.encode(), make=str(make)))
    program.chmod(0o755)
    home = folder / "home"
    home.mkdir()
    rest: dict[str, Any] = {}
    if user is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user, -1, follow_symlinks=False)
        rest = {"user": user, "group": user, "extra_groups": []}
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "MAKE_METRICS_HOME": str(folder / "home")}
    command = ["perl", "./run_make_tests.pl", "-make", str(program), *only]
    done = subprocess.run(command, cwd=tests, env=env, capture_output=True, text=True, errors="replace", check=False,
                          stdin=subprocess.DEVNULL, **rest)  # fmt: skip
    results = dict(_RESULT.findall(done.stdout.replace(str(folder), "FOLDER")))
    if not results:
        raise SystemExit(f"the suite has not run:\n{done.stdout}{done.stderr}")
    return results


def _fragment(folder: Path) -> str:
    """Write a fragment whose home is below a folder; gives the include line."""
    home = folder / "home"
    paths = Paths(data=home / "data", config=home / "config", state=home / "state")
    written = folder / "metrics.mk"
    folder.mkdir()
    text = fragment.render(paths, compiled=fragment.launcher() is not None)
    written.write_text(text.replace(str(paths.fragment), str(written)))
    return f"-include {written}"


def main(words: Sequence[str] | None = None) -> int:
    """Run the suite twice and compare."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.make_suite", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="the folder of make's source")
    parser.add_argument("--make", type=Path, default=Path("/usr/bin/make"), help="the make to examine")
    parser.add_argument("--differs", nargs="*", default=[], help="tests that may differ")
    parser.add_argument("--only", nargs="*", default=[], metavar="TEST", help="some tests: features/double_colon")
    options = parser.parse_args(words)
    user = 65534 if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="mm-") as root:
        Path(root).chmod(0o755)
        plain = run(options.source, options.make, _made(Path(root) / "plain"), line="", user=user, only=options.only)
        folder = Path(root) / "ours"
        line = _fragment(folder)
        ours = run(options.source, options.make, folder, line=line, user=user, only=options.only)
    unexpected = 0
    for test in sorted(plain.keys() | ours.keys()):
        if plain.get(test) != ours.get(test):
            unexpected += test not in options.differs
            print(f"{test}: plain {plain.get(test)}, with the include line {ours.get(test)}")
    print(f"{len(plain)} test files, {unexpected} differ that may not")
    return 1 if unexpected else 0


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


if __name__ == "__main__":
    sys.exit(main())
