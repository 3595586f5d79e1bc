"""Another shell in the place of /bin/sh, as busybox's on Alpine: builds are the same, and recorded."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.project import Project

_TRY = ["unshare", "-m", "sh", "-c", "mount --bind /bin/true /bin/true"]
pytestmark = pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run(_TRY, capture_output=True, check=False).returncode != 0,
    reason="nothing may be mounted here",
)
_MAKEFILE = """\
.PHONY: simple compound fails missing killed nested
all: simple compound fails missing killed nested
simple:
	/usr/bin/env
	/usr/bin/env
compound:
	echo "a  b" '$$x'; :
	for each in 1 2; do echo $$each; done && (exit 0) || exit 9
	printf '%s\\n' "$${A-unset}" | tr a-z A-Z
fails:
	-exit 7
	-false
missing:
	-nosuchprogram
	-nosuchprogram; :
killed:
	-kill -TERM $$$$
nested:
	-$(MAKE) --no-print-directory simple
"""
_MENTION = "$(if ,$(SHELL))\n"


@pytest.fixture(params=["busybox", "bash", "ksh", "mksh", "posh", "yash"])
def in_place_of_sh(request: pytest.FixtureRequest) -> list[str]:
    """Words that run a program where this shell is /bin/sh."""
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"there is no {request.param}")
    mount = f"mount --bind {shell} {Path('/bin/sh').resolve()}"
    return ["unshare", "-m", "sh", "-c", f'{mount} && exec "$@"', "sh"]


@pytest.mark.parametrize("head", ["", _MENTION], ids=["shell", "flags"])
@pytest.mark.parametrize("has_path", [True, False], ids=["PATH", "no PATH"])
def test_the_build_is_the_same(project: Project, in_place_of_sh: list[str], head: str, has_path: bool) -> None:
    env = {"MAKE_METRICS_HOME": str(project.home), "A": "x"}
    if has_path:
        env["PATH"] = "/usr/bin:/bin"

    def make(line: str | None) -> tuple[int, list[str], str]:
        project.write(head + _MAKEFILE, line=line)
        words = [shutil.which("env") or "", "-i", *(f"{name}={value}" for name, value in env.items())]
        done = project.run([*in_place_of_sh, *words, project.make_path, "-k"])
        # What a second shell passes on stands in another order (ci/approved-differences.toml).
        return done.returncode, sorted(done.stdout.splitlines()), done.stderr

    plain = make("")
    assert make(None) == plain
    assert {event.target for event in project.recorded()} >= {"simple", "compound", "fails", "missing", "killed"}
