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


@pytest.fixture(params=["busybox", "bash", "zsh", "ksh", "mksh", "posh", "yash", "bash-3.2"])
def in_place_of_sh(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Words that run a program where this shell is /bin/sh.

    bash 3.2 is macOS's, where /bin/sh is a file of its own; it is tested where it can be had under this name. zsh is
    told by the name that /bin/sh leads to. The others have dash's, so that they have to do without what its name tells.
    """
    shell = shutil.which(request.param)
    if shell is None:
        pytest.skip(f"there is no {request.param}")
    mount = f"mount --bind {shell} {Path('/bin/sh').resolve()}"
    if request.param in ("zsh", "bash-3.2"):
        if request.param == "zsh":
            (tmp_path / "sh").symlink_to(shell)
        else:
            shutil.copy(shell, tmp_path / "sh")
        programs = Path("/bin").resolve()
        mount = f"mount -t overlay overlay -o lowerdir={tmp_path}:{programs} {programs}"
        if subprocess.run(["unshare", "-m", "sh", "-c", mount], capture_output=True, check=False).returncode:
            pytest.skip("no file system can be laid over another one here")
    return ["unshare", "-m", "sh", "-c", f'{mount} && exec "$@"', "sh"]


@pytest.mark.parametrize("head", ["", _MENTION], ids=["shell", "flags"])
@pytest.mark.parametrize("has_path", [True, False], ids=["PATH", "no PATH"])
def test_the_build_is_the_same(project: Project, in_place_of_sh: list[str], head: str, has_path: bool) -> None:
    env = {"MAKE_METRICS_HOME": str(project.home), "A": "x", "LOGNAME": "me"}
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


@pytest.mark.parametrize("in_place_of_sh", ["zsh"], indirect=True)
@pytest.mark.parametrize("head", ["", _MENTION], ids=["shell", "flags"])
def test_a_variable_that_zsh_adds_is_in_no_line(project: Project, in_place_of_sh: list[str], head: str) -> None:
    outcomes = []
    for line in ("", None):
        project.write(head + _MAKEFILE, line=line)
        words = [shutil.which("env") or "", "-i", f"MAKE_METRICS_HOME={project.home}", "PATH=/usr/bin:/bin"]
        outcomes.append(project.run([*in_place_of_sh, *words, project.make_path, "simple"]).stdout)
    assert outcomes[1] == outcomes[0]
    assert "LOGNAME=" not in outcomes[0]
    assert not project.recorded()
