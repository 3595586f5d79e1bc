"""What the output of a build does not show: parallel jobs, terminals, background processes, signals, the hook."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path

import pexpect
import psutil
import pytest

from make_metrics.setup.makefile_verdict import is_measured
from tests.support.project import Project, until

# Four targets of two nested makes; each waits until all four have begun.
NESTED = """\
    all: left right
    left right: ; @$(MAKE) -s --no-print-directory $@1 $@2
    left1 left2 right1 right2:
    \t@touch $@.on; for i in $$(seq 999); do test $$(ls *.on | wc -l) -lt $(AT_ONCE) || exit 0; sleep 0.1; done; exit 9
    \t@echo $@
    """


@pytest.mark.parametrize("words", ["$(if ,$(SHELL))", ""], ids=["flags-hook", "shell-hook"])
def test_jobs_of_nested_makes_run_at_once(each: Project, words: str) -> None:
    each.write(NESTED + f"    {words}\n")
    done = each.make("-s", "-j4", "AT_ONCE=4")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert sorted(done.stdout.split()) == ["left1", "left2", "right1", "right2"]


def test_no_more_jobs_run_than_j_allows(each: Project) -> None:
    # Each waits until another one runs; the last of all does not.
    each.write(
        "all: left right\nleft right: ; @$(MAKE) -s --no-print-directory $@1 $@2 $@3\n"
        "left% right%: ; @touch $@.on; for i in $$(seq 1000); do n=$$(ls *.on | wc -l); test $$n -lt 2 || break; "
        "test $$(cat ended | wc -l) -lt 5 || break; sleep 0.05; done; echo $$n >> seen; sleep 0.1; "
        "ls *.on | wc -l >> seen; rm $@.on; echo >> ended\n"
    )
    (each.folder / "ended").touch()
    assert each.make("-s", "-j2").returncode == 0
    assert max(int(count) for count in (each.folder / "seen").read_text().split()) == 2


@pytest.mark.parametrize(
    "addition", ["", "$(if ,$(SHELL))", "SHELL := /bin/bash"], ids=["shell-hook", "flags-hook", "bash"]
)
def test_a_background_process_keeps_no_pipe_open(each: Project, addition: str) -> None:
    """`make | cat` ends although the process still runs."""
    each.write(f"all: ; @sleep 600 </dev/null >/dev/null 2>&1 & echo $$! > pid\n{addition}\n")
    done = each.run(["/bin/sh", "-c", f"{each.make_path} | cat"])
    assert done.stdout == ""
    sleeper = psutil.Process(int((each.folder / "pid").read_text()))
    try:
        until(lambda: sleeper.name() == "sleep")
    finally:
        sleeper.kill()


def _bash(project: Project) -> pexpect.spawn[str]:
    """An interactive shell in the project's folder."""
    env = {**project.environment(), "PS1": "@@ ", "TERM": "dumb"}
    shell: pexpect.spawn[str] = pexpect.spawn(
        "bash",
        ["--norc", "--noprofile", "-i"],
        cwd=str(project.folder),
        env=env,
        encoding="utf-8",
        timeout=60,
        echo=False,
    )
    shell.expect("@@ ")
    return shell


@pytest.mark.parametrize("measured", [False, True], ids=["plain", "measured"])
def test_stop_and_continue_at_a_terminal(each: Project, measured: bool) -> None:
    each.write("all: ; @echo ready; until test -e go; do sleep 0.05; done; echo end\n", line=None if measured else "")
    shell = _bash(each)
    shell.sendline(each.make_path)
    shell.expect("ready")
    shell.send("\x1a")
    shell.expect("Stopped")
    shell.expect("@@ ")
    (each.folder / "go").touch()
    shell.sendline("jobs")
    shell.expect("Stopped")
    shell.expect("@@ ")
    shell.sendline("fg; echo status=$?")
    shell.expect("end")
    shell.expect("status=0")
    shell.sendline("exit")
    shell.expect(pexpect.EOF)
    if measured:
        assert each.events()["all"]["exit_status"] == 0


@pytest.mark.parametrize("measured", [False, True], ids=["plain", "measured"])
def test_a_recipe_has_the_terminal(each: Project, measured: bool) -> None:
    each.write(
        "all:\n"
        "\t@test -t 0 && test -t 1 && test -t 2 && echo terminal\n"
        "\t@stty size; tty | grep -c /dev/pts\n"
        '\t@echo ask; read answer; echo "got $$answer"\n',
        line=None if measured else "",
    )
    child = pexpect.spawn(each.make_path, cwd=str(each.folder), env=each.environment(), encoding="utf-8", timeout=60,
                          dimensions=(31, 77), echo=False)  # fmt: skip
    child.expect("terminal\r\n31 77\r\n1\r\nask")
    child.sendline("yes please")
    child.expect("got yes please")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.parametrize("key", ["\x1c", "\x03"], ids=["quit", "interrupt"])
@pytest.mark.parametrize("measured", [False, True], ids=["plain", "measured"])
def test_a_key_reaches_a_recipe_that_handles_it(each: Project, measured: bool, key: str) -> None:
    """The recipe cleans up before make prints its error."""
    each.write(
        "all:\n\t@trap 'sleep 0.2; echo cleaned; exit 7' INT QUIT; echo ready; while :; do sleep 0.05; done\n",
        line=None if measured else "",
    )
    child = pexpect.spawn("/bin/sh", ["-c", f"ulimit -c 0; exec {each.make_path}"], cwd=str(each.folder),
                          env=each.environment(), encoding="utf-8", timeout=60)  # fmt: skip
    child.expect("ready")
    child.send(key)
    child.expect("cleaned")
    child.expect(pexpect.EOF)
    child.close()
    if key == "\x03":
        output = child.before or ""
        assert re.search(r"make: \*\*\* (\[Makefile:2: all\] (Error 7|Interrupt)|wait: No child processes)", output), (
            output
        )
    if measured:
        assert each.events()["all"]["exit_status"] in (7, -signal.SIGINT, -signal.SIGQUIT)


def _signals(project: Project, line: str | None) -> tuple[str, ...]:
    project.write(
        "all:\n\t@grep -E '^Sig(Blk|Ign)' /proc/self/status\n\t@grep -E '^Sig(Blk|Ign)' /proc/self/status; :\n",
        line=line,
    )
    blocked = {signal.SIGUSR2, signal.SIGALRM, signal.SIGTERM, signal.SIGWINCH}

    def block() -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)

    done = subprocess.run([project.make_path], cwd=project.folder, env=project.environment(), preexec_fn=block,
                          capture_output=True, text=True, check=True)  # fmt: skip
    # The C library uses signals 32 and 33.
    return tuple(f"{int(word, 16) & ~(3 << 31):x}" for word in re.findall(r"\t(\S+)", done.stdout))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_blocked_and_ignored_signals_stay_blocked_and_ignored(each: Project) -> None:
    plain = _signals(each, "")
    assert len(plain) == 4
    assert _signals(each, None) == plain
    assert each.events()["all"]["recipe_lines"] == 2


def test_make_in_many_directories_at_once(each: Project) -> None:
    each.write("a b: ; @echo $@; test $@ = a\n")
    running = [each.start("-s", goal) for goal in ("a", "b") * 4]
    outputs = [process.communicate(timeout=100)[0] for process in running]
    assert outputs == ["a\n", "b\n"] * 4
    assert [process.returncode for process in running] == [0, 2] * 4


@pytest.mark.parametrize(
    ("version", "hook"),
    [("3.81", "shell"), ("3.82", ""), ("4.0", "flags"), ("4.1", "flags"), ("4.2", "shell"), ("4.2.1", "shell"),
     ("4.3", "shell"), ("4.4", "shell"), ("4.4.1", "shell"), ("3.80", ""), ("4.5", ""), ("5.0", ""),
     ("4.2.1+dbg-1.5", ""), ("4.3+dbg-1.5", ""), ("4.4.1+dbg-1.6", "")],
)  # fmt: skip
def test_each_version_has_its_hook(project: Project, version: str, hook: str) -> None:
    path = project.write("all: ; @echo built; :\n")
    path.write_text(f".metrics.as.version := {version}\n{path.read_text()}$(info hook=$(.metrics.hook))\n")
    assert project.make("-s").stdout == f"hook={hook}\nbuilt\n"
    assert project.paths.records.exists() == is_measured(version) == bool(hook)


@pytest.mark.parametrize(
    ("version", "hook"), [("4.0", "flags"), ("4.2", "flags"), ("4.4", "flags")]
)  # fmt: skip
def test_a_makefile_that_uses_the_shell_has_the_flags_hook_if_its_make_can(
    project: Project, version: str, hook: str
) -> None:
    path = project.write("USE := $(SHELL)\nall: ; @echo built; :\n")
    path.write_text(f".metrics.as.version := {version}\n{path.read_text()}$(info hook=$(.metrics.hook))\n")
    assert project.make("-s").stdout == f"hook={hook}\nbuilt\n"
    assert project.events()["all"]["recipe_lines"] == 1


def test_a_posix_makefile_is_left_alone_from_4_4(project: Project) -> None:
    path = project.write(".POSIX:\nUSE := $(SHELL)\nall: ; @echo built; :\n")
    path.write_text(
        f".metrics.as.version := 4.4\n.metrics.as.features := shell-export\n{path.read_text()}"
        "$(info hook=$(.metrics.hook))\n"
    )
    assert project.make("-s").stdout == "hook=\nbuilt\n"


@pytest.mark.parametrize("words", ["$(if ,$(SHELL))", ""], ids=["flags-hook", "shell-hook"])
def test_a_variable_without_a_name_is_passed_on(each: Project, words: str) -> None:
    text = f"""\
        {words}
        all: simple missing signal
        \t@env | sort
        first simple: ; @env
        missing: ; -@nosuch
        signal: ; -@kill -TERM $$$$
        """
    printed = []
    for line in ("", None):
        each.write(text, line=line)
        variables = (f"{name}={value}" for name, value in {**each.environment(), "LANG": "C"}.items())
        done = each.run(["env", "-i", "=3", *variables, each.make_path, "first", "all"])
        # With the Python shim a line whose environment a second shell has passed on lacks this variable.
        shown = sorted(line for line in done.stdout.splitlines() if line[:2] not in ("_=", "=3"))
        printed.append((shown, done.stderr))
    assert printed[0] == printed[1]
    assert len(each.recorded()) == 5
