"""make-metrics as users have it: the built wheel, installed in an environment of its own, and an empty home."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pexpect

from tests.support.project import ROOT

_FILES = ("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")
_FOLDERS = ("shim", "make_include", "ci", "docs")
_BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
NOBODY = 65534


@contextmanager
def readable_folder() -> Iterator[Path]:
    """A folder that other users can enter, unlike pytest's own."""
    with TemporaryDirectory(prefix="make-metrics-") as folder:
        os.chmod(folder, 0o755)  # noqa: PTH101, S103
        yield Path(folder)


def _interpreter() -> str:
    """An interpreter of this version that other users can run too, if there is one; else the tests' own."""
    own = Path(sys.executable).resolve()
    code = f"import sys, venv; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})"
    for python in (str(own), "/usr/local/bin/python3", "/usr/bin/python3"):
        with contextlib.suppress(OSError):
            user = NOBODY if os.geteuid() == 0 else None
            done = subprocess.run([python, "-c", code], user=user, cwd="/", capture_output=True, check=False)
            if done.returncode == 0:
                return python
    return sys.executable


def install_wheel(folder: Path, *, compiler: bool) -> Path:
    """Build the wheel, install it in an environment below a folder, and give that environment's `bin`.

    The libraries that it needs are those of the tests' environment. Without a `compiler` it has no launcher.
    """
    source = folder / "source"
    ignored = shutil.ignore_patterns("__pycache__", "launcher")
    for name in _FOLDERS:
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    for name in _FILES:
        shutil.copy2(ROOT / name, source / name)
    env = os.environ if compiler else {**os.environ, "CC": "false"}
    (folder / "dist").mkdir()
    subprocess.run(
        [sys.executable, "-c", _BUILD, folder / "dist"], cwd=source, env=env, check=True, capture_output=True
    )
    (wheel,) = (folder / "dist").iterdir()
    environment = folder / "environment"
    subprocess.run([_interpreter(), "-m", "venv", "--without-pip", environment], check=True)
    python = environment / "bin/python"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "--no-deps", "--no-index", wheel], check=True, capture_output=True)
    site = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    (Path(site) / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return environment / "bin"


class Newcomer:
    """Somebody with an empty home and a project's folder, no variable of ours, and a terminal of 80 columns."""

    def __init__(self, folder: Path, bin_folder: Path, *, user: int | None = None) -> None:
        self.home, self.project, self.user = folder / "home", folder / "project", user
        self.path = os.pathsep.join([str(bin_folder), "/usr/local/bin", "/usr/bin", "/bin"])
        for path in (folder, self.home, self.project):
            path.mkdir(exist_ok=True, mode=0o755)
            if user is not None:
                os.chown(path, user, user)

    def can_run(self, *words: str) -> bool:
        """Whether this user may run a command: not if the interpreter is in a home that is closed to others."""
        try:
            return self._run([*words]).returncode == 0
        except OSError:
            return False

    def write(self, name: str, text: str) -> None:
        """Write a file of the project."""
        path = self.project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        self.own(path)
        self.own(path.parent)

    def own(self, path: Path) -> None:
        """Make a file or a folder this user's."""
        if self.user is not None:
            os.chown(path, self.user, self.user)

    def session(self, commands: list[str]) -> list[str]:
        """What each command prints, standard error too, when a shell runs them one after the other."""
        mark = "@@@ next"
        done = self._run(["sh", "-c", f"\necho '{mark}'\n".join(commands)])
        return done.stdout.split(f"{mark}\n")

    def script(self, script: str, *, words: tuple[str, ...] = ("sh", "-e"), **environ: str) -> str:
        """What a script prints, standard error too; fails unless it ends with status 0."""
        done = self._run([*words, "-c", script], **environ)
        assert done.returncode == 0, f"{script}\nended with status {done.returncode}:\n{done.stdout}"
        return done.stdout

    def terminal(self, *words: str) -> pexpect.spawn[str]:
        """Start a command in a terminal of 80 columns and 24 rows."""

        def become_user() -> None:
            if self.user is not None:
                os.setgroups([])
                os.setgid(self.user)
                os.setuid(self.user)

        return pexpect.spawn(
            words[0],
            [*words[1:]],
            cwd=str(self.project),
            env=self._environment(),
            preexec_fn=become_user,
            encoding="utf-8",
            timeout=100,
            dimensions=(24, 80),
        )

    def _environment(self) -> dict[str, str]:
        return {"PATH": self.path, "HOME": str(self.home), "LANG": "C.UTF-8", "COLUMNS": "80", "TERM": "xterm"}

    def _run(self, words: list[str], **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            words,
            cwd=self.project,
            env={**self._environment(), **environ},
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=200,
        )
