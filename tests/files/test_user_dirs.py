"""Where a user's directories are: one table for every program that computes them.

These are `files.paths` for the commands, `files.user_dirs` for the walk, `hot.state_dir` for the Python shim,
in_c/state_dir.c for the compiled one, and the fragment.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from make_metrics.errors import UserError
from make_metrics.files.paths import Paths
from make_metrics.files.user_dirs import VARIABLES, find_user_dirs
from make_metrics.hot.state_dir import find_state_dir
from tests.support.launcher_driver import Driver
from tests.support.project import ROOT, makes

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="XDG directories")
HOME = "/users/me"
OF_HOME = (f"{HOME}/.local/share/make-metrics", f"{HOME}/.config/make-metrics", f"{HOME}/.local/state/make-metrics")
OF_ROOT = ("/root dir/data", "/root dir/config", "/root dir/state")
REAL_HOME = pwd.getpwuid(os.getuid()).pw_dir
OF_REAL_HOME = tuple(path.replace(HOME, REAL_HOME, 1) for path in OF_HOME)
Directories = tuple[str, ...]
Environment = dict[str, str]


def _with(at: int, directory: str) -> Directories:
    return (*OF_HOME[:at], directory, *OF_HOME[at + 1 :])


XDG = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")
# The environment, and the directories for data, configuration and state; None if recording is refused.
TABLE: list[tuple[Environment, Directories | None]] = [
    ({"HOME": HOME}, OF_HOME),
    ({"HOME": f"{HOME}/"}, OF_HOME),
    ({}, OF_REAL_HOME),
    ({"HOME": ""}, OF_REAL_HOME),
    ({"HOME": "me"}, OF_REAL_HOME),
    ({"HOME": HOME, "MAKE_METRICS_HOME": "/root dir"}, OF_ROOT),
    ({"HOME": HOME, "MAKE_METRICS_HOME": "/root dir//"}, OF_ROOT),
    ({"HOME": HOME, "MAKE_METRICS_HOME": "/root dir", **dict.fromkeys(XDG, "/xdg")}, OF_ROOT),
    ({"MAKE_METRICS_HOME": "/root dir"}, OF_ROOT),
    ({"HOME": HOME, "MAKE_METRICS_HOME": ""}, OF_HOME),
    ({"HOME": HOME, "MAKE_METRICS_HOME": "here"}, None),
    ({"HOME": HOME, "MAKE_METRICS_HOME": "./here"}, None),
    ({"HOME": HOME, "MAKE_METRICS_HOME": " "}, None),
    *(({"HOME": HOME, name: "/xdg dir"}, _with(at, "/xdg dir/make-metrics")) for at, name in enumerate(XDG)),
    *(({"HOME": HOME, name: "/xdg/"}, _with(at, "/xdg/make-metrics")) for at, name in enumerate(XDG)),
    *(({"HOME": HOME, name: value}, OF_HOME) for name in XDG for value in ("", "xdg", "./xdg", " ")),
    ({"XDG_DATA_HOME": "/d", "XDG_CONFIG_HOME": "/c", "XDG_STATE_HOME": "/s"},
     ("/d/make-metrics", "/c/make-metrics", "/s/make-metrics")),
]  # fmt: skip
ROWS = pytest.mark.parametrize(("environ", "expected"), TABLE, ids=[str(environ) for environ, _ in TABLE])


def norm(*paths: str) -> Directories:
    """Paths without repeated slashes."""
    return tuple(os.path.normpath(path) for path in paths)


@ROWS
def test_the_commands(monkeypatch: pytest.MonkeyPatch, environ: Environment, expected: Directories | None) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    if expected is None:
        with pytest.raises(UserError, match="absolute"):
            Paths.from_environment()
    else:
        paths = Paths.from_environment()
        assert norm(str(paths.data), str(paths.config), str(paths.state)) == expected


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match="set HOME"):
        Paths.from_environment()
    with pytest.raises(OSError, match="no home"):
        find_state_dir(b"", {})
    assert not os.path.isabs(find_user_dirs({}).config), "the walk finds no decision"  # noqa: PTH117


@ROWS
def test_the_walk(environ: Environment, expected: Directories | None) -> None:
    if expected is not None:  # no line of such a make starts a walk: the next test
        assert norm(*find_user_dirs(environ)) == expected


@ROWS
def test_the_python_shim(environ: Environment, expected: Directories | None) -> None:
    names = {os.fsencode(name): os.fsencode(value) for name, value in environ.items()}
    if expected is None:
        with pytest.raises(OSError, match="absolute"):
            find_state_dir(b"", names)
        return
    state, anchor = find_state_dir(b"", names)
    assert norm(os.fsdecode(state)) == expected[2:]
    assert state.startswith(anchor.rstrip(b"/") + b"/"), "only directories below the anchor are created"


@ROWS
def test_the_launcher(driver: Driver, environ: Environment, expected: Directories | None) -> None:
    answer = driver.ask(b"state_dir", b"", *(os.fsencode(f"{name}={value}") for name, value in environ.items()))
    has_home = environ.get("HOME", "").startswith("/") or "MAKE_METRICS_HOME" in environ
    if expected is None or not has_home:
        assert answer == [], "left to the Python shim"
    else:
        assert norm(*map(os.fsdecode, answer)) == expected[2:]


def test_what_set_up_has_written_goes_first_but_for_make_metrics_home(driver: Driver) -> None:
    for environ, expected in (({"HOME": HOME, "XDG_STATE_HOME": "/xdg"}, b"/written/state"),
                              ({"MAKE_METRICS_HOME": "/root dir"}, b"/root dir/state")):  # fmt: skip
        names = {os.fsencode(name): os.fsencode(value) for name, value in environ.items()}
        words = [b"%b=%b" % item for item in names.items()]
        assert find_state_dir(b"/written/state", names)[0] == expected
        assert driver.ask(b"state_dir", b"/written/state", *words) == [expected]


@pytest.mark.parametrize("make", makes().values(), ids=makes().keys())
@ROWS
def test_the_fragment(tmp_path: Path, make: str, environ: Environment, expected: Directories | None) -> None:
    text = f"include {ROOT}/make_include/metrics.mk\nall: ; @:\n"
    text += "$(info $(.metrics.data)|$(.metrics.config)|$(if $(.metrics.inert),inert))"
    env = {**environ, "PATH": os.environ["PATH"]}
    output = subprocess.check_output([make, "-f", "-"], input=text, cwd=tmp_path, env=env, text=True)
    data, config, inert = output.rstrip("\n").split("|")
    if expected is None:
        assert inert == "inert"
    elif environ.get("HOME", "").startswith("/") or "XDG_DATA_HOME" in environ or "MAKE_METRICS_HOME" in environ:
        assert (*norm(data, config), inert) == (*expected[:2], "")
    else:
        # make cannot look up the user's home: it finds no file there, and the walk decides.
        assert (data, config) == tuple(path.replace(REAL_HOME, environ.get("HOME", ""), 1) for path in expected[:2])


LIBRARY = f"{HOME}/Library/Application Support/make-metrics"


@pytest.mark.parametrize("make", makes().values(), ids=makes().keys())
def test_on_a_mac_the_programs_agree_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: str) -> None:
    """The compiled shim's paths there are compared in tests/hot/test_launcher_constants.py."""
    monkeypatch.setattr(sys, "platform", "darwin")
    fragment = tmp_path / "metrics.mk"
    text = (ROOT / "make_include/metrics.mk").read_text()
    fragment.write_text(
        text.replace("$(if $(filter default,$(origin MAKE_HOST)),$(MAKE_HOST),", "$(if 1,arm-apple-darwin23,")
    )
    for variables, expected in (
        ({}, (LIBRARY,) * 3),
        ({"XDG_DATA_HOME": "/d", "XDG_STATE_HOME": "/s"}, ("/d/make-metrics", LIBRARY, "/s/make-metrics")),
    ):
        environ = {"HOME": HOME, **variables}
        assert norm(*find_user_dirs(environ)) == expected
        state, _ = find_state_dir(b"", {os.fsencode(name): os.fsencode(value) for name, value in environ.items()})
        assert os.fsdecode(state) == expected[2]
        state_of = "$(call .metrics.below.home,XDG_STATE_HOME,.local/state)"
        makefile = f"include {fragment}\nall: ; @:\n$(info $(.metrics.data)|$(.metrics.config)|{state_of})"
        env = {**environ, "PATH": os.environ["PATH"]}
        output = subprocess.check_output([make, "-f", "-"], input=makefile, cwd=tmp_path, env=env, text=True)
        assert output == "|".join(expected) + "\n"
