"""The invitation: its rules, and how a developer sees it, through real makes in real terminals."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pexpect
import pytest

from make_metrics.consent import consent, gate, invitation
from make_metrics.consent.gate import MAX_TIMES, WEEK_NS, is_due
from make_metrics.files.paths import Paths
from make_metrics.project.project import project_of
from make_metrics.project.root import find_root, project_key
from make_metrics.project.settings import NAME
from make_metrics.report.wrapped import columns
from tests.support.broken_copy import without_proc
from tests.support.project import Project, until
from tests.support.settings_files import FULL_SETTINGS, write_settings
from tests.support.sharing_project import ended

NOW_NS = 1_790_000_000_000_000_000
WORDS = "would like timing data about its make targets."
MAKEFILE = "all: a\n\t@echo all\na:\n\t@echo a\nquiet:\n\t@:\n"


def test_an_invitation_is_due_once_a_week_and_three_times_in_all() -> None:
    assert is_due([], now_ns=NOW_NS)
    assert not is_due([NOW_NS], now_ns=NOW_NS + WEEK_NS - 1)
    assert is_due([NOW_NS], now_ns=NOW_NS + WEEK_NS)
    assert not is_due([NOW_NS + WEEK_NS], now_ns=NOW_NS)  # the clock was set back
    assert not is_due([0] * MAX_TIMES, now_ns=NOW_NS)


@pytest.mark.parametrize("locale", ["C.UTF-8", "C"])
@pytest.mark.parametrize(
    "name", ["x", "a name of 23 characters", "long " * 40, "\u65e5\u672c\u8a9e" * 50, "\u00e4" * 24], ids=len
)
def test_each_line_has_less_than_80_columns(tmp_path: Path, name: str, locale: str) -> None:
    write_settings(tmp_path / "project", FULL_SETTINGS.replace('name = "Example"', f'name = "{name}"'))
    environ = {"MAKE_METRICS_HOME": os.environ["MAKE_METRICS_HOME"], "LC_ALL": locale}
    first, second = invitation.line(environ, str(tmp_path / "project"), now_ns=NOW_NS).decode().split("\n")
    assert 55 < columns(first) < 80
    assert (name in first) is (len(name) <= 24 and (name.isascii() or locale != "C"))
    assert first.startswith("Project ")
    assert first.endswith(f" {WORDS}")
    assert second == "Decide: make-metrics opt-in | opt-out"


class TestRules:
    """The gate's rules and then the invitation's, for a make in a project with sinks."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        write_settings(tmp_path / "project")
        return tmp_path / "project"

    @pytest.fixture
    def paths(self) -> Paths:
        return Paths.from_environment()

    def shown(self, folder: Path, *, at_ns: int = NOW_NS, **more: str) -> bool:
        """Whether a make shows it whose environment has these variables, and no others but the home."""
        environ = {"MAKE_METRICS_HOME": os.environ["MAKE_METRICS_HOME"], **more}
        may_be_due = gate.may_invite(find_root(str(folder)), environ, now_ns=at_ns)
        return may_be_due and bool(invitation.line(environ, str(folder), now_ns=at_ns))

    def test_it_is_shown_at_most_once_a_week_and_three_times(self, folder: Path) -> None:
        days = [self.shown(folder, at_ns=NOW_NS + day * WEEK_NS // 7) for day in range(60)]
        assert [day for day, shown in enumerate(days) if shown] == [0, 7, 14]

    @pytest.mark.parametrize(
        "environ", [{"CI": "true"}, {"DO_NOT_TRACK": "1"}, {"MAKE_METRICS": "local"}, {"MAKE_METRICS": "off"}], ids=str
    )
    def test_it_is_not_shown_in_ci_or_against_the_environment(
        self, folder: Path, paths: Paths, environ: dict[str, str]
    ) -> None:
        assert not self.shown(folder, at_ns=NOW_NS, **environ)
        assert not invitation.line({**os.environ, **environ}, str(folder), now_ns=NOW_NS)
        assert not paths.invitations.exists()
        assert self.shown(folder)

    @pytest.mark.parametrize("yes", [True, False])
    def test_it_is_not_shown_once_something_was_decided(self, folder: Path, paths: Paths, yes: bool) -> None:
        with consent.lock(paths):
            consent.write_decision(paths, project_of(folder), yes=yes, now_ns=NOW_NS)
        assert not self.shown(folder)
        assert not invitation.line(dict(os.environ), str(folder), now_ns=NOW_NS)

    @pytest.mark.parametrize("text", ["", 'name = "Example"\n', "sinks = 3\n", "[[sinks]]\n", "sinks ="])
    def test_it_is_not_shown_for_settings_without_a_sink(self, folder: Path, text: str) -> None:
        (folder / NAME).write_text(text)
        assert not self.shown(folder)

    @pytest.mark.parametrize("content", [b"x", b'{"shown_ns": 3}', b"1.5\n", b"\xff"])
    def test_it_is_not_shown_if_its_times_cannot_be_read(self, folder: Path, paths: Paths, content: bytes) -> None:
        assert self.shown(folder)
        (note,) = paths.invitations.iterdir()
        note.write_bytes(content)
        assert not self.shown(folder, at_ns=NOW_NS + WEEK_NS)

    def test_it_is_not_shown_if_its_time_cannot_be_written(self, folder: Path, paths: Paths) -> None:
        paths.invitations.mkdir(parents=True)
        (paths.invitations / project_key(folder)).symlink_to("elsewhere")
        assert not self.shown(folder)

    def test_it_does_not_wait_for_the_lock(self, folder: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("time.sleep", lambda _: pytest.fail("waits"))
        with consent.lock(paths):
            assert not self.shown(folder)
        assert self.shown(folder)

    @pytest.mark.parametrize(
        ("environ", "shown"),
        [({"LANG": "de_DE.UTF-8"}, "ö"), ({"LANG": "C.utf8"}, "ö"), ({"LC_ALL": "C", "LANG": "C.UTF-8"}, "\\xf6")],
    )
    def test_it_is_in_the_terminals_encoding(self, folder: Path, environ: dict[str, str], shown: str) -> None:
        text = (folder / NAME).read_text()
        (folder / NAME).write_text(text.replace('name = "Example"', 'name = "Größe"'), "utf-8")
        home = {"MAKE_METRICS_HOME": os.environ["MAKE_METRICS_HOME"]}
        said = invitation.line({**home, **environ}, str(folder), now_ns=NOW_NS).decode()
        assert said.startswith(f"Project Gr{shown}")
        assert said.replace("\n", "").isprintable()


class TestInTheTerminal:
    """What a developer sees, with each make and each shim."""

    @pytest.fixture
    def inviting(self, each: Project) -> Project:
        return asking(each)

    @pytest.fixture
    def one(self, project: Project) -> Project:
        return asking(project)

    def test_it_is_shown_once_a_week_and_three_times(self, inviting: Project) -> None:
        assert said_in_terminal(inviting) == ("a\r\n" + line("Example") + "all\r\n", 0)
        assert said_in_terminal(inviting) == ("a\r\nall\r\n", 0)
        for times in (2, 3):
            a_week_passes(inviting)
            assert WORDS in said_in_terminal(inviting)[0]
            assert len(note(inviting).read_text().split()) == times
            assert WORDS not in said_in_terminal(inviting)[0]
        a_week_passes(inviting)
        assert said_in_terminal(inviting) == ("a\r\nall\r\n", 0)

    def test_it_is_on_standard_error_and_the_build_is_the_same(self, inviting: Project) -> None:
        inviting.write("all:\n\t@echo out; false\n")
        said, status = said_in_terminal(inviting, script='"$0" all >out')
        assert said.startswith(line("Example"))
        assert "Error 1" in said.removeprefix(line("Example"))
        assert (status, (inviting.folder / "out").read_text()) == (2, "out\n")

    def test_it_is_not_shown_if_standard_error_is_no_terminal(self, inviting: Project) -> None:
        for script in ('"$0" all 2>err; cat err', '"$0" all 2>&1 | cat', '"$0" -O -j2 all'):
            assert said_in_terminal(inviting, script=script) == ("a\r\nall\r\n", 0)
        assert not note(inviting).exists()

    @pytest.mark.parametrize(
        "environ",
        [{"DO_NOT_TRACK": "1"}, {"MAKE_METRICS": "local"}, {"MAKE_METRICS": "off"}, {"CI": "1"}, {"TF_BUILD": "1"}],
        ids=str,
    )
    def test_it_is_not_shown_in_ci_or_against_the_environment(self, one: Project, environ: dict[str, str]) -> None:
        one.cli("on-this-machine")  # else nothing of ours runs in CI
        assert said_in_terminal(one, **environ) == ("a\r\nall\r\n", 0)
        assert not note(one).exists()
        assert WORDS in said_in_terminal(one)[0]

    @pytest.mark.parametrize("words", [["opt-out"], ["opt-in", "--yes"], ["off"]], ids=" ".join)
    def test_it_is_not_shown_once_something_was_decided(self, one: Project, words: list[str]) -> None:
        assert one.cli(*words).returncode == 0
        assert said_in_terminal(one) == ("a\r\nall\r\n", 0)

    def test_it_is_shown_for_settings_in_the_repository_not_above_it(self, one: Project) -> None:
        (one.folder / "sub" / ".git").mkdir(parents=True)
        one.write(MAKEFILE, "sub/Makefile")
        assert WORDS not in said_in_terminal(one, script='"$0" -sC sub')[0]
        (one.folder / "sub" / ".git").rmdir()
        (one.folder / ".git").mkdir()
        assert WORDS in said_in_terminal(one, script='"$0" -sC sub')[0]

    def test_a_make_that_another_one_started_does_not_show_it(self, inviting: Project) -> None:
        (inviting.folder / NAME).rename(inviting.folder / "settings")
        write_settings(inviting.folder / "sub")
        inviting.write(MAKEFILE, "sub/Makefile")
        inviting.write("all:\n\t@$(MAKE) -sC sub\nn:\n\t+@echo $@\n")
        assert said_in_terminal(inviting) == ("a\r\nall\r\n", 0)
        assert said_in_terminal(inviting, script="MAKELEVEL=1 $0 -sC sub") == ("a\r\nall\r\n", 0)
        (inviting.folder / "settings").rename(inviting.folder / NAME)
        assert said_in_terminal(inviting, script='"$0" -n n') == ("echo n\r\nn\r\n", 0)
        said, status = said_in_terminal(inviting)  # and the outer one says it when its line has ended
        assert (said, status) == ("a\r\nall\r\n" + line("Example"), 0)

    @pytest.mark.parametrize("place", ["config", "state"])
    def test_it_is_not_shown_if_nothing_can_be_written(self, one: Project, place: str) -> None:
        (one.home / place).write_text("in the way")
        assert said_in_terminal(one) == ("a\r\nall\r\n", 0)

    def test_it_is_shown_with_one_shell_for_a_recipe(self, one: Project) -> None:
        one.write("METRICS_ONESHELL := 1\nall:\n\t@echo one\n\techo two\n")
        assert said_in_terminal(one) == ("one\r\ntwo\r\n" + line("Example"), 0)

    def test_many_jobs_show_it_once(self, one: Project) -> None:
        one.write("all: 1 2 3 4 5 6\n1 2 3 4 5 6:\n\t@echo $@\n")
        said, status = said_in_terminal(one, script='"$0" -j6')
        assert (sorted(said.splitlines()), status) == (
            sorted(["1", "2", "3", "4", "5", "6", *line("Example").splitlines()]),
            0,
        )
        assert {event.target for event in one.recorded()} == {"all", "1", "2", "3", "4", "5", "6"}

    def test_it_is_shown_after_the_lines_own_output(self, inviting: Project) -> None:
        inviting.write("all:\n\t@echo begun; read answer; echo $$answer\n")
        terminal = in_terminal(inviting)
        terminal.expect_exact("begun\r\n")
        until(note(inviting).exists)  # it is due, and waits for the line's end
        terminal.setecho(False)
        terminal.sendline("later")
        assert ended(terminal) == ("later\r\n" + line("Example"), 0)

    def test_it_is_not_shown_after_an_interrupt(self, one: Project) -> None:
        one.write("all:\n\t@echo begun; read answer\n")
        terminal = in_terminal(one)
        terminal.expect_exact("begun\r\n")
        until(note(one).exists)
        terminal.sendintr()
        assert WORDS not in ended(terminal)[0]

    def test_it_is_shown_once_without_proc(self, tmp_path: Path, home: Path) -> None:
        """Without /proc each line walks; the first walk leaves the run's name for the others."""
        project = without_proc(asking(Project(tmp_path / "project", home, compiled=False)), tmp_path)
        assert said_in_terminal(project) == ("a\r\n" + line("Example") + "all\r\n", 0)
        assert {event.target for event in project.recorded()} == {"a", "all"}
        assert len(project.records()) == 1

    def test_a_make_in_the_background_is_not_stopped(self, inviting: Project) -> None:
        """With `stty tostop`, a background process that writes to the terminal is stopped."""
        script = 'set -m; stty tostop; "$0" quiet & wait $!; echo "status $?"'
        assert said_in_terminal(inviting, script=script, program="bash")[0].endswith("status 0\r\n")
        assert not note(inviting).exists()

    def test_a_terminal_that_is_stopped_is_not_waited_for(self, inviting: Project) -> None:
        stop = f"{sys.executable} -c 'import termios; termios.tcflow(2, termios.TCOOFF)'"
        terminal = in_terminal(inviting, script=f'{stop}; "$0" quiet; echo $? >ended; read line')
        until((inviting.folder / "ended").exists)
        until(lambda: (inviting.folder / "ended").read_text() == "0\n")
        assert note(inviting).exists()
        terminal.close(force=True)


def asking(project: Project) -> Project:
    """With settings that name a sink."""
    project.write(MAKEFILE)
    write_settings(project.folder)
    return project


def line(name: str) -> str:
    """The invitation as a terminal shows it."""
    return f"Project {name} {WORDS}\r\nDecide: make-metrics opt-in | opt-out\r\n"


def note(project: Project) -> Path:
    return project.paths.invitations / project_key(project.folder)


def a_week_passes(project: Project) -> None:
    """As far as the note is concerned."""
    times = [int(time) - WEEK_NS for time in note(project).read_text().split()]
    note(project).write_text("".join(f"{time}\n" for time in times))


def in_terminal(
    project: Project, *, script: str = '"$0" all', program: str = "sh", **environ: str
) -> pexpect.spawn[str]:
    """A shell in a terminal that runs a script; `$0` is make."""
    return pexpect.spawn(
        program,
        ["-c", script, project.make_path],
        cwd=str(project.folder),
        env=project.environment(**environ),
        encoding="utf-8",
        timeout=60,
    )


def said_in_terminal(
    project: Project, *, script: str = '"$0" all', program: str = "sh", **environ: str
) -> tuple[str, int | None]:
    """What a script shows in a terminal, and its exit status."""
    return ended(in_terminal(project, script=script, program=program, **environ))
