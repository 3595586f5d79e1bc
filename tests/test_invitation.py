from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from shim import consent, invitation
from shim.invitation import TIMES, WEEK_NS, due
from shim.paths import Paths
from shim.settings import NAME, Project, project_of
from tests.project import ROOT, makes
from tests.project import Project as Made
from tests.receiver import receiving
from tests.samples import paths_in
from tests.sharing import Sharing, ended
from tests.test_settings import write

NOW_NS = 1_790_000_000_000_000_000
WORDS = "asks for a record of how its make targets are used"


def test_once_a_week_and_three_times_in_all() -> None:
    assert due([], now_ns=NOW_NS)
    assert not due([NOW_NS], now_ns=NOW_NS + WEEK_NS - 1)
    assert due([NOW_NS], now_ns=NOW_NS + WEEK_NS)
    assert not due([NOW_NS + WEEK_NS], now_ns=NOW_NS)  # the clock was set back
    assert not due([0] * TIMES, now_ns=NOW_NS)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return paths_in(tmp_path / "mm")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    write(tmp_path / "project")
    return project_of(tmp_path / "project")


def shown(paths: Paths, project: Project, *, at_ns: int = NOW_NS, terminal: bool = True, **environ: str) -> bool:
    return bool(invitation.line(paths, project, environ, terminal=terminal, now_ns=at_ns))


def test_the_rules_over_time(paths: Paths, project: Project) -> None:
    days = [shown(paths, project, at_ns=NOW_NS + day * WEEK_NS // 7) for day in range(60)]
    assert [day for day, said in enumerate(days) if said] == [0, 7, 14]


@pytest.mark.parametrize(
    "environ",
    [{"CI": "true"}, {"DO_NOT_TRACK": "1"}, {"MAKE_METRICS": "local"}, {"MAKE_METRICS": "off"}, {"MAKELEVEL": "2"}],
    ids=str,
)
def test_where_it_is_never_shown(paths: Paths, project: Project, environ: dict[str, str]) -> None:
    assert not invitation.line(paths, project, environ, terminal=True, now_ns=NOW_NS)
    assert not shown(paths, project, terminal=False)
    assert not paths.config.exists()
    assert shown(paths, project, MAKELEVEL="1")


@pytest.mark.parametrize("yes", [True, False])
def test_whoever_has_decided_is_left_in_peace(paths: Paths, project: Project, yes: bool) -> None:
    with consent.locked(paths):
        consent.write(paths, project, yes=yes, now_ns=NOW_NS)
    assert not shown(paths, project)


@pytest.mark.parametrize("content", [b"", b"{}", b'{"shown_ns": 3}', b'{"shown_ns": ["x"]}', b"\xff"])
def test_a_damaged_note_is_no_reason_to_show_it_again(paths: Paths, project: Project, content: bytes) -> None:
    assert shown(paths, project)
    (note,) = paths.invitations.iterdir()
    note.write_bytes(content)
    assert not shown(paths, project, at_ns=NOW_NS + WEEK_NS)


def test_what_cannot_be_noted_is_not_shown(paths: Paths, project: Project) -> None:
    paths.config.parent.mkdir(parents=True)
    paths.config.write_text("in the way")
    assert not shown(paths, project)


@pytest.fixture
def sharing(tmp_path: Path, home: Path) -> Iterator[Sharing]:
    with receiving() as receiver:
        yield Sharing(Made(tmp_path / "project", home, next(iter(makes().values()))), receiver)


def test_it_is_the_last_line_of_a_report_in_a_terminal(sharing: Sharing) -> None:
    sharing.make()

    def report(*more: str, **environ: str) -> str:
        env = {**sharing.project.environment(), "PYTHONPATH": str(ROOT), **environ}
        words = ["-m", "shim", "report", *more]
        said, status = ended(
            pexpect.spawn(sys.executable, words, cwd=str(sharing.project.folder), env=env, encoding="utf-8", timeout=60)
        )
        assert status == 0
        return said

    assert WORDS not in report("--json")
    assert WORDS not in report(CI="true")
    assert WORDS not in sharing.cli("report") + sharing.said
    assert report().splitlines()[-1].startswith("Example asks for a record")
    assert WORDS not in report()


def test_makes_own_output_is_the_same_undecided_declined_agreed_and_without_settings(sharing: Sharing) -> None:
    """In a terminal too: nothing of ours is ever in it."""
    said = []
    for words, here in itertools.product((None, ["opt-out"], ["opt-in", "--yes"]), (True, False)):
        if words:
            sharing.settings()
            sharing.cli(*words)
        if not here:
            (sharing.project.folder / NAME).unlink()
        terminal = pexpect.spawn(
            sharing.project.make_path,
            ["all"],
            cwd=str(sharing.project.folder),
            env=sharing.project.environment(),
            encoding="utf-8",
            timeout=60,
        )
        said.append(ended(terminal))
        sharing.settings()
    assert set(said) == {("a\r\nall\r\n", 0)}
