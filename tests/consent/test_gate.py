"""What the walk asks before anything is recorded: the same answers as `consent`, from a few file look-ups."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from make_metrics.consent import gate
from make_metrics.project.root import find_root
from tests.support.imports import loaded
from tests.support.project import SOURCE


def test_the_walk_loads_nothing_to_find_that_nothing_was_decided(tmp_path: Path) -> None:
    """A recipe line may wait for it. The hash of a project with settings does without hashlib."""
    (tmp_path / "asking").mkdir()
    (tmp_path / "asking" / "make-metrics.toml").write_text('name = "Example"')
    environ = {"MAKE_METRICS_HOME": str(tmp_path / "home")}
    for folder in ("", "asking"):
        modules = loaded(
            "from make_metrics.consent import gate; from make_metrics.project.root import find_root\n"
            f"project, environ = find_root({str(tmp_path / folder)!r}), {environ!r}\n"
            "assert not gate.recording_forbidden(project, environ)\n"
            "assert not gate.may_invite(project, environ, now_ns=1)"
        )
        heavy = {"hashlib", "json", "pathlib", "typing", "dataclasses", "enum", "tomllib", "re"}
        assert not modules & heavy


@pytest.mark.parametrize("environ", [{}, {"XDG_CONFIG_HOME": "/x/y"}, {"MAKE_METRICS_HOME": "/m"}], ids=str)
def test_the_gate_looks_where_decisions_are_kept(tmp_path: Path, environ: dict[str, str]) -> None:
    code = "from pathlib import Path; from make_metrics.consent import consent\n"
    code += "from make_metrics.files.paths import Paths; from make_metrics.project.project import project_of\n"
    code += "print(consent.decision_path(Paths.from_environment(), project_of(Path('/'))))"
    variables = {"HOME": str(tmp_path), **environ}
    env = {**variables, "PYTHONPATH": str(SOURCE)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert gate.decision_path(find_root("/"), variables) == done.stdout.strip()
