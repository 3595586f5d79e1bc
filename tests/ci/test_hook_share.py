"""Which hook the makefiles of a folder of checkouts get."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.project import ROOT, makes

CHECKOUTS = {
    "a+plain/Makefile": "all: ; @true\n",
    "b+sets/GNUmakefile": "SHELL := $(shell touch run)\ninclude $(DIR)/*.mk\nDIR := parts\n",
    "b+sets/parts/one.mk": "# SHELLCHECK\n",
    "c+uses/src/Makefile": "include rules/$(shell uname) common.mk\nall: ; @echo $(SHELL)\n",
    "d+later/Makefile": "-include one.mk\nall: ; @true\n",
    "d+later/one.mk": ".ONESHELL:\n",
    "e+none/README": "nothing\n",
}


def test_nothing_of_a_checkout_is_run_and_each_hook_has_its_reason(tmp_path: Path) -> None:
    for name, text in CHECKOUTS.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    make = next(path for version, path in makes().items() if version.startswith(("4.2", "4.3", "4.4")))
    words = [sys.executable, "-m", "ci.hook_share", str(tmp_path), "--make", make]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()[2:-2]]
    assert rows == [
        ["a/plain", "Makefile", "1", "0", "shell", "no SHELL"],
        ["b/sets", "GNUmakefile", "2", "0", "shell", "sets SHELL"],
        ["c/uses", "src/Makefile", "1", "1", "flags", "uses $(SHELL)"],
        ["d/later", "Makefile", "2", "0", "flags", ".ONESHELL"],
    ]
    assert done.stdout.endswith("2 of 4 have the SHELL hook (50%).\n")
    assert not (tmp_path / "b+sets/run").exists()
