"""Which modules a piece of code loads, in a fresh interpreter."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.support.project import ROOT


def loaded(code: str) -> set[str]:
    """The modules that code loads in a fresh isolated interpreter, beyond those that it starts with."""
    program = f"import sys; before = set(sys.modules); sys.path.insert(0, {str(ROOT / 'shim')!r})\n{code}\n"
    program += "import json; print(json.dumps(sorted(now - before)))"
    program = program.replace("import json", "now = set(sys.modules); import json")
    done = subprocess.run([sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def loaded_after_psutil(*names: str) -> set[str]:
    """What a fresh interpreter loads for modules, beyond psutil and what it starts with."""
    code = "import json, psutil, sys; before = set(sys.modules)\n" + "".join(f"import {name}\n" for name in names)
    code = code.replace("import json, ", "import ") + "now = set(sys.modules) - before\nimport json\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}print(json.dumps(sorted(now)))"], cwd=ROOT, capture_output=True, check=True
    )
    return set(json.loads(done.stdout))
