"""The folder in which the benchmark works: a home, fragments, a Makefile, and the wrappers to compare with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ci.build_launcher import LAUNCHER, ROOT, build
from make_metrics.files.paths import Paths
from make_metrics.setup import bundle, fragment, launcher_copy

_HERE = Path(__file__).resolve().parent


class Workspace:
    """A folder with everything that the benchmark writes; the user's home is not touched."""

    def __init__(self, folder: Path, make: str) -> None:
        """Raises NotBuilt if there is no launcher and none can be built."""
        self.folder, self.make = folder, make
        self.home, self.results, self.work = folder / "home", folder / "results", folder / "work"
        for path in (self.home, self.results, self.work):
            path.mkdir()
        if not (ROOT / LAUNCHER).exists():
            build(ROOT / LAUNCHER)
        bundle.write()  # as set-up does
        data = self.home / "data"
        data.mkdir()
        self.paths = Paths(data=data, config=self.home / "config", state=self.home / "state")
        self.compiled, self.python = data / "compiled.mk", data / "python.mk"
        launcher_copy.write(self.paths, fragment.launcher())
        for path, compiled in ((self.compiled, True), (self.python, False)):
            text = fragment.render(self.paths, compiled=compiled)
            path.write_text(text.replace(f"fragment := {self.paths.fragment}", f"fragment := {path}"))
        self.c_wrapper = folder / "wrapper"
        subprocess.run(["cc", "-O2", "-o", self.c_wrapper, _HERE / "wrapper.c"], check=True)
        self.shell_wrapper = folder / "wrapper.sh"
        shutil.copy2(_HERE / "wrapper.sh", self.shell_wrapper)
        self.shell_wrapper.chmod(0o755)
        self.python_wrapper = f"{sys.executable} {_HERE / 'wrapper.py'}"

    def environment(self, shell: str) -> dict[str, str]:
        """A small environment: a shell takes longer to start with a large one."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "MAKE_METRICS_HOME": str(self.home),
            "BENCH_SHELL": shell,
            "BENCH_RESULTS": str(self.results),
        }

    def clear(self) -> None:
        """Remove the records, the results and the Makefile."""
        for path in (self.paths.state, self.results, self.work):
            shutil.rmtree(path, ignore_errors=True)
        self.results.mkdir()
        self.work.mkdir()
