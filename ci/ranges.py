"""Run the tests that use our dependencies with the lowest, and with the newest, versions that pyproject.toml admits.

    python -m ci.ranges lowest
    python -m ci.ranges newest

The tools of the tests are those of this environment. It takes a download and some minutes. The exit status is that of
the tests, or 2 if the versions cannot be had: a package index may have dropped the old ones.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import venv
from collections.abc import Iterable, Sequence
from pathlib import Path

from ci.build_launcher import ROOT

LOWEST, NEWEST = "lowest", "newest"
TESTS = ("tests/sinks", "tests/deliver", "tests/sender", "tests/report", "tests/sweep")
EXTRAS = ("otlp", "sentry")  # the extra "server" does not run beside make
_LEAST = re.compile(r"([A-Za-z0-9._-]+(?:\[[^]]*\])?)>=([0-9.]+)")


def requirements(which: str, project: Path = ROOT / "pyproject.toml") -> list[str]:
    """What to install: each dependency in its lowest version, or in whichever is the newest.

    Raises ValueError for a dependency without a lowest version.
    """
    tables = tomllib.loads(project.read_text())["project"]
    ranges = [*tables["dependencies"], *(each for extra in EXTRAS for each in tables["optional-dependencies"][extra])]
    if which == NEWEST:
        return ranges
    return [_lowest(each) for each in ranges]


def _lowest(requirement: str) -> str:
    match = _LEAST.match(requirement)
    if match is None:
        raise ValueError(f"{requirement} has no lowest version")
    return f"{match[1]}=={match[2]}"


def _install(folder: Path, wanted: Iterable[str]) -> Path:
    """An environment with these versions, in front of this environment's tools; its interpreter."""
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin/python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--upgrade", *wanted], check=True)
    place = Path(sysconfig.get_path("purelib", vars={"base": str(folder)}))
    (place / "tools.pth").write_text(f"{sysconfig.get_path('purelib')}\n")  # only now: pip would count them as there
    return python


def main(words: Sequence[str] | None = None) -> int:
    """Install, print the versions, and run the tests."""
    parser = argparse.ArgumentParser(
        prog="python -m ci.ranges", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("which", choices=[LOWEST, NEWEST])
    parser.add_argument("pytest", nargs="*", help="words for pytest, in place of the tests' folders")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="mm-") as folder:
        try:
            python = _install(Path(folder) / "environment", wanted := requirements(options.which))
        except subprocess.CalledProcessError:
            print(f"these cannot be had: {' '.join(requirements(options.which))}", file=sys.stderr)
            return 2
        names = [re.split(r"[\[>=]", each)[0] for each in wanted]
        code = "import sys; from importlib.metadata import version; print(*(f'{n} {version(n)}' for n in sys.argv[1:]))"
        env = {**os.environ, "PYTHONPATH": str(ROOT / "shim")}
        subprocess.run([python, "-c", code, *names], env=env, check=True)
        sys.stdout.flush()
        # A plug-in for pytest that a newer version of a dependency brings is not there in a lower one.
        plugins = ["-p", "pytest_timeout", "-p", "xdist.plugin"]
        pytest = [python, "-m", "pytest", *plugins, *(options.pytest or ["-n", "2", *TESTS])]
        return subprocess.run(
            pytest, cwd=ROOT, env={**env, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
