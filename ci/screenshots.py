"""Pictures of one run and of a made-up team: `python -m ci.screenshots` builds a sample, and draws what we say of it.

It writes docs/last.svg, docs/timeline.png and docs/team.png; the last two need a Chromium (Debian: chromium).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

from ci import browser
from ci.picture import draw

ROOT = Path(__file__).resolve().parents[1]
_SAMPLE = {
    "Makefile": """
        .PHONY: all check docs
        all: app check docs
        app: lib.a main.o options.o report.o
            @sleep 0.35
        lib.a:
            @sleep 0.1; $(MAKE) --no-print-directory -C lib
        main.o:
            @sleep 0.7
        options.o:
            @sleep 0.4
        report.o:
            @sleep 0.55
        check: app
            @sleep 0.3
            @sleep 0.5
            @sleep 0.2; exit 1
        docs:
            @sleep 0.3
            @sleep 0.9
        -include $(METRICS)
        """,
    "lib/Makefile": """
        lib.a: parse.o print.o store.o
            @sleep 0.15
        parse.o:
            @sleep 0.6
        print.o:
            @sleep 0.35
        store.o:
            @sleep 0.5
        -include $(METRICS)
        """,
}


def main() -> int:
    """Write the pictures; 0, or 1 without a Chromium."""
    path = browser.executable()
    if path is None:
        print("no Chromium here (Debian: chromium)", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder) / "project"
        environment = {**os.environ, "MAKE_METRICS_HOME": f"{folder}/home", "PYTHONPATH": str(ROOT / "shim")}
        for name in ("CI", "MAKEFLAGS", "MAKELEVEL", "NO_COLOR"):
            environment.pop(name, None)
        command = [sys.executable, "-m", "make_metrics"]
        subprocess.run([*command, "setup"], env=environment, check=True, capture_output=True)
        fragment = subprocess.check_output([*command, "include"], env=environment, text=True).strip()
        for name, text in _SAMPLE.items():
            file = project / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(textwrap.dedent(text).lstrip().replace("    ", "\t").replace("$(METRICS)", fragment))
        subprocess.run(["make", "-j3", "-k"], cwd=project, env=environment, check=False, capture_output=True)
        page = project / "timeline.html"
        subprocess.run(
            [*command, "timeline", "-o", page], cwd=project, env=environment, check=True, capture_output=True
        )
        os.environ.update(environment)
        os.chdir(project)
        draw(ROOT / "docs/last.svg", 76, [*command, "last"], title="make-metrics last")
        with browser.chromium(path) as chromium:
            chromium.open(browser.url_of(page), width=1000, height=600)
            chromium.send("Emulation.setScrollbarsHidden", hidden=True)
            height = chromium.value("table.tBodies[0].rows[3].getBoundingClientRect().bottom")
            (ROOT / "docs/timeline.png").write_bytes(chromium.picture(x=0, y=0, width=1000, height=height + 2))
            _team(chromium, command, environment)
    return 0


def _team(chromium: browser.Page, command: list[str], environment: dict[str, str]) -> None:
    """The first page of a made-up team."""
    demo = [*command, "serve", "--demo", "--port", "0"]
    with subprocess.Popen(demo, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101
        chromium.open(process.stdout.readline().strip(), width=1000, height=900)
        height = chromium.value("document.querySelector('tbody').rows[3].getBoundingClientRect().bottom")
        (ROOT / "docs/team.png").write_bytes(chromium.picture(x=0, y=0, width=1000, height=height + 2))
        process.terminate()


if __name__ == "__main__":
    sys.exit(main())
