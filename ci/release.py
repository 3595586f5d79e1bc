"""Whether a release may be made of this checkout: `python -m ci.release v1.2.0`."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ci.build_launcher import ROOT

VERSION = re.compile(r'^__version__ = "(\d+\.\d+\.\d+)"$', re.MULTILINE)


def obstacles(root: Path, tag: str) -> Iterator[str]:
    """What stands in the way of a release with this tag, each with what to do."""
    found = VERSION.search((root / "shim/make_metrics/__init__.py").read_text())
    version = found[1] if found else ""
    if tag == version:
        yield f"the tag of version {version} is v{version}: ci/release v{version}"
    elif tag != f"v{version}":
        yield f"the tag is {tag}, and the version v{version}: set __version__ in shim/make_metrics/__init__.py"
    changes = (root / "CHANGELOG.md").read_text()
    heading = re.search(r"^## (?!Unreleased\n\s*## )(.*)$", changes, re.MULTILINE)  # with nothing below it, it may stay
    if heading is None or not re.fullmatch(rf"{re.escape(version)} \(\d{{4}}-\d\d-\d\d\)", heading[1]):
        yield f"CHANGELOG.md must have '## {version} (YEAR-MONTH-DAY)' first, with all changes below it"
    for path in sorted((root / "dist").glob("*")):
        if not path.name.startswith((f"make_metrics-{version}-", f"make_metrics-{version}.tar.gz")):
            yield f"dist/{path.name} is not of version {version}: what is in dist is released, so remove it"
    words = ["git", "status", "--porcelain"]
    status = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    if status.returncode:
        yield f"a release is made of a git checkout, and git says: {status.stderr.strip()}"
        return
    if status.stdout:
        yield "the checkout has changes that are not committed: commit them"
    words = ["git", "rev-parse", f"{tag}^{{commit}}", "HEAD"]
    commits = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    if commits.returncode == 0 and len(set(commits.stdout.split())) != 1:
        yield f"the tag {tag} is already at another commit: a version is released once"


def main(words: Sequence[str] | None = None) -> int:
    """Say what stands in the way; the exit status is 1 if anything does."""
    parser = argparse.ArgumentParser(prog="ci/release", description=__doc__.partition(":")[0])
    parser.add_argument("tag", help="the release's tag, such as v1.2.0")
    options = parser.parse_args(words)
    found = list(obstacles(ROOT, options.tag))
    for text in found:
        print(f"ci/release: {text}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
