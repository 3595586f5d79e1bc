"""The conformance suite: that it passes, and that it would notice if the shim or the fragment were broken."""

from __future__ import annotations

import fnmatch
import json
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pexpect
import pytest

from ci import compare, find_makes
from ci.build_launcher import LAUNCHER, SOURCE, SOURCES, build
from ci.conformance import approved, cases, report
from ci.conformance.__main__ import main as suite
from ci.conformance.execute import Outcome, prepare
from tests.support.mutation import (
    Mutation,
    c_call_is,
    c_function_begins,
    function_begins,
    mutate,
    mutate_one_of,
    variable_is,
    variable_unassigned,
)
from tests.support.project import ROOT, makes

FIRST = next(iter(makes().values()))


@pytest.mark.timeout(800)
def test_the_quick_suite_finds_no_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "report.json"
    status = suite(["--make", FIRST, "--quick", "--out", str(out)])
    assert status == 0, capsys.readouterr().out
    verdicts = json.loads(out.read_text())["verdicts"]
    assert len(verdicts) > 80
    assert sum(bool(verdict["events"]) for verdict in verdicts) > 70


# Of the modes that only the nightly run has: what an approval or a file of events must say for them.
@pytest.mark.parametrize(
    ("name", "mode"),
    [("a21b_long_simple", "jobs"), ("d05_path", "as-3.81"), ("e06_print", "as-3.81"), ("g09_vars", "as-3.81")],
)
def test_a_case_agrees_in_a_mode_of_the_long_run(name: str, mode: str, capsys: pytest.CaptureFixture[str]) -> None:
    for make in makes().values():
        if find_makes.version(Path(make)).startswith("4."):
            status = suite(["--make", make, "--case", name, "--mode", mode])
            said = capsys.readouterr()
            assert (status, said.err) == (0, ""), said.out


ALL_SAME = "{} same, 0 approved, 0 differs, 0 skipped, 0 stale approvals"


def test_the_suite_says_how_far_it_is_on_a_terminal_or_if_asked() -> None:
    command = [sys.executable, "-m", "ci.conformance", "--make", FIRST, "--mode", "merged", "--jobs", "1", "--case"]
    one, three = [*command, "b01_cd"], [*command, "b01_cd", "b02_minus", "b03_plus"]
    terminal = pexpect.spawn(one[0], one[1:], cwd=str(ROOT), encoding="utf-8", timeout=60)
    terminal.expect(pexpect.EOF)
    assert (terminal.before or "").splitlines() == ["0 of 1 done, 0 differ, 0 min", ALL_SAME.format(1)]
    process = subprocess.run([*three, "--progress", "0.01"], capture_output=True, text=True, cwd=ROOT, check=True)
    lines = process.stderr.splitlines()
    assert lines[0] == "0 of 3 done, 0 differ, 0 min"
    assert lines[-1] == "2 of 3 done, 0 differ, 0 min"
    assert process.stdout.splitlines() == [ALL_SAME.format(3)]


def test_lines_torn_by_jobs_that_write_at_once_are_no_difference() -> None:
    plain, ours = Outcome("", "sh: make: no\nnothere\n", 2), Outcome("", "sh: nothere\nmake: no\n", 2)
    for interleaved, other, expected in ((False, ours, report.DIFFERS), (True, ours, report.SAME),
                                     (True, replace(ours, errors="sh: nothere\nmake: so\n"), report.DIFFERS),
                                     (True, replace(ours, status=1), report.DIFFERS)):  # fmt: skip
        verdict = report.Verdict("case", "jobs", "")
        report.judge(verdict, plain, other, [], interleaved=interleaved)
        assert verdict.verdict == expected


@pytest.mark.parametrize("case", cases.load(), ids=lambda case: case.name)
def test_a_case_says_what_it_shows_and_when(case: cases.Case) -> None:
    assert case.about.count("\n") == 0
    assert case.about
    assert set(case.modes) <= cases.MODES.keys()


def test_approvals_name_cases_and_modes_that_exist() -> None:
    names = {case.name for case in cases.load()}
    for entry in approved.load():
        assert names.issuperset(entry.case.split()), entry
        assert fnmatch.filter(cases.MODES, entry.mode), entry
        assert entry.why.strip()
        assert entry.lines


def test_every_fact_has_a_case_or_a_test_that_is_there() -> None:
    facts = tomllib.loads((cases.CASES / "facts.toml").read_text())
    named = [one for part in facts.values() for shown in part.values() for one in shown]
    known = {case.name for case in cases.load()}
    for one in named:
        file, _, test = one.partition("::")
        assert one in known or f"def {test}(" in (ROOT / "tests" / file).read_text(), one
    unnamed = known - set(named)
    assert all(name[0] in "cdefg" for name in unnamed), f"cases that came with the facts: {unnamed}"


@pytest.mark.parametrize("path", makes().values(), ids=makes().keys())
@pytest.mark.parametrize(
    ("name", "shell"),
    [
        ("b08_quote_oneshell", "/bin//sh"),
        ("c01_parse_shell", "/usr/bin/env sh"),
        ("e11_no_op_nested", "/usr/bin/env sh"),
    ],
)
def test_what_is_approved_as_makes_own_ways_is_what_make_does_with_any_other_shell(
    tmp_path: Path, name: str, shell: str, path: str
) -> None:
    """Plain make, given the same shell by another name, prints what it prints with our line."""
    (case,) = cases.load(names=[name])
    bench = prepare(tmp_path / "b", Path(path), compiled=False)
    other = cases.Mode("other", addition=f"SHELL := {shell}")
    plain, same_shell = (bench.run(case, mode, ours=False) for mode in (cases.MODES["merged"], other))
    ours = bench.run(case, cases.MODES["merged"], ours=True)
    if name == "c01_parse_shell":  # the other name shows elsewhere in this one
        assert ["oneecho two" in one.output for one in (plain, same_shell, ours)] == [False, True, True]
    else:
        assert ours.output == same_shell.output != plain.output


LINE, RECORDER = "shim/make_metrics/hot/line.py", "shim/make_metrics/hot/recorder.py"
FRAGMENT = "make_include/metrics.mk"
# For each fault: the file, what is broken in it, and the case that notices.
MUTATIONS: dict[str, tuple[str, Mutation, str]] = {
    "wrong exit status": (LINE, function_begins("_exit", "words = (words[0] and 1,)"), "d04_simple"),
    "swallowed SIGPIPE": (LINE, function_begins("_signals_to_default", "return []"), "f03_traps"),
    "closed descriptor": (LINE, function_begins("_run", "posix.closerange(3, 64)"), "f05_descriptors"),
    "a line on standard error": (LINE, function_begins("_run", "posix.write(2, b'x')"), "b01_cd"),
    "left in MAKEFILE_LIST": (FRAGMENT, variable_unassigned(".metrics.without"), "a04_makefile_list"),
    "default goal changed": (FRAGMENT, variable_unassigned(".DEFAULT_GOAL"), "a05_no_goal"),
    ".SHELLFLAGS lost": (FRAGMENT, variable_is(".metrics.flags", "-c"), "c08_shellflags"),
    "line not recorded": (RECORDER, function_begins("Recorder.finish", "return None"), "b01_cd"),
    "line recorded twice": (RECORDER, function_begins("Recorder.finish", "original(*words)"), "b01_cd"),
}
# The same for the compiled fast path: what is broken in hot/in_c, and the case that notices. A launcher that asks the
# system nothing leaves each make's first line to Python, and all lines where it leaves no mark: in two cases it runs
# none of those that notice.
LEFT_TO_PYTHON = ("f03_traps", "g06_interrupt_files")
LAUNCHER_MUTATIONS: dict[str, tuple[Mutation, str]] = {
    "wrong exit status": (c_function_begins("exit_like", "a1 = a1 > 0 ? 1 : a1;"), "d04_simple"),
    "swallowed SIGPIPE": (c_function_begins("start", "signal(SIGPIPE, SIG_IGN);"), "f03_traps"),
    "closed descriptor": (c_function_begins("start", "close(3);"), "f05_descriptors"),
    "a line on standard error": (c_function_begins("append_line", 'if (write(2, "x", 1) < 0) return;'), "b01_cd"),
    "simple lines through the shell": (c_function_begins("simple_words", "return NULL;"), "a01_fastpath"),
    "environment of the shell in between": (c_function_begins("restored_environment", "return a1;"), "d06_environment"),
    "another signal handed on": (
        c_call_is("wait_for_child", "kill(pid, number)", "kill(pid, (pid) == getppid() ? (number) : SIGKILL)"),
        "g06_interrupt_files",
    ),
    "a function's shell counted as a line": (c_function_begins("is_recipe_line", "return true;"), "a32_shellfn"),
    "line not recorded": (c_function_begins("append_line", "return;"), "b01_cd"),
    "line recorded twice": (c_function_begins("append_line", "original(a1, a2, a3);"), "b01_cd"),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of everything the suite uses, without the compiled fast path, to break."""
    folder = tmp_path / "copy"
    for name in ("shim", "make_include", "ci", "tests/cases"):
        shutil.copytree(ROOT / name, folder / name, symlinks=True, ignore=shutil.ignore_patterns("launcher", "*.pyc"))
    return folder


def _compiled(copy: Path) -> None:
    """Compile the fast path of a copy, without the optimisations that take the compiler's time."""
    if not (ROOT / LAUNCHER).exists():
        pytest.skip("no compiled fast path here")
    build(copy / LAUNCHER, copy / SOURCE, flags=("-O0",))


def _suite_in(copy: Path, *names: str, shim: str = "python") -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "ci.conformance", "--make", FIRST, "--shim", shim, "--mode", "merged",
             "flags", "--case", *names]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(copy / "shim"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(words, cwd=copy, env=env, capture_output=True, text=True, check=False)


def test_the_unbroken_copy_passes(copy: Path) -> None:
    done = _suite_in(copy, *{mutation[-1] for mutation in MUTATIONS.values()})
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.one_in(2)
@pytest.mark.parametrize("mutation", MUTATIONS.values(), ids=MUTATIONS.keys())
def test_a_broken_copy_fails(copy: Path, mutation: tuple[str, Mutation, str]) -> None:
    file, fault, notices = mutation
    mutate(copy / file, fault)
    done = _suite_in(copy, notices)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"## {notices}" in done.stdout


def test_the_unbroken_fast_path_passes(copy: Path) -> None:
    _compiled(copy)
    done = _suite_in(copy, *{mutation[-1] for mutation in LAUNCHER_MUTATIONS.values()}, shim="compiled")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.one_in(2)
@pytest.mark.parametrize(
    "mutation",
    [
        pytest.param(mutation, marks=[pytest.mark.asks_system] * (mutation[-1] in LEFT_TO_PYTHON), id=name)
        for name, mutation in LAUNCHER_MUTATIONS.items()
    ],
)
def test_a_broken_fast_path_fails(copy: Path, mutation: tuple[Mutation, str]) -> None:
    fault, notices = mutation
    mutate_one_of(copy / SOURCES, "*.c", fault)
    _compiled(copy)
    done = _suite_in(copy, notices, shim="compiled")
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"## {notices}" in done.stdout


def _sanitized(folder: Path, *names: str) -> subprocess.CompletedProcess[str]:
    """Some cases through a launcher of the source in a folder, with the compiler's checks built in."""
    if not (ROOT / LAUNCHER).exists():
        pytest.skip("no compiled fast path here")
    subprocess.run([sys.executable, folder / "ci/build_launcher.py"], capture_output=True, check=True)
    words = [sys.executable, "-m", "ci.conformance", "--make", FIRST, "--shim", "sanitized", "--mode", "merged",
             "--case", *names]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(folder / "shim")}
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True, check=False)


def test_the_launcher_does_nothing_that_c_leaves_undefined(copy: Path) -> None:
    done = _sanitized(copy, "b01_cd", "d01_names", "d04_simple")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_launcher_that_asks_the_system_nothing_passes() -> None:
    """All that the launcher for macOS has in common with Linux is tested here (in_c/posix.c)."""
    if not (ROOT / LAUNCHER).exists():
        pytest.skip("no compiled fast path here")
    words = [sys.executable, "-m", "ci.conformance", "--make", FIRST, "--shim", "posix", "--mode", "merged", "--case",
             "b01_cd", "d06_environment", "d12_language", "e03_nested", "f02_signals", "f05_descriptors",
             "f11_kill_make", "f15_terminal"]  # fmt: skip
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.minute
def test_what_c_leaves_undefined_is_seen(copy: Path) -> None:
    mutate_one_of(copy / SOURCES, "*.c", c_call_is("decode", "malloc(size)", "malloc((size) - 1)"))
    done = _sanitized(copy, "b01_cd")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "AddressSanitizer: heap-buffer-overflow" in done.stdout


def test_an_approval_that_nothing_needs_fails_the_suite(copy: Path) -> None:
    listed = copy / "ci" / "approved-differences.toml"
    shutil.rmtree(copy / "tests" / "cases")
    shutil.copytree(ROOT / "tests" / "cases" / "b01_cd", copy / "tests" / "cases" / "b01_cd")
    listed.write_text('[[difference]]\ncase = "b01_cd"\nlines = ["output .*"]\nwhy = "none"\n')
    words = [sys.executable, "-m", "ci.conformance", "--make", FIRST]
    env = {**os.environ, "PYTHONPATH": str(copy / "shim")}
    done = subprocess.run(words, cwd=copy, env=env, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 1
    assert "stale approval: b01_cd" in done.stdout


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Real reports of a few cases, by version of make."""
    folder = tmp_path_factory.mktemp("reports")
    made = {}
    for version, path in makes().items():
        made[version] = folder / f"{version}.json"
        suite(["--make", path, "--mode", "merged", "--out", str(made[version]), "--case", "a15_delete_on_error",
               "a27_stdin", "b01_cd"])  # fmt: skip
    return made


@pytest.mark.skipif(not {"4.3", "4.4.1"} <= makes().keys(), reason="needs make 4.3 and 4.4.1")
def test_reports_that_differ_are_told_apart(
    reports: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = [str(reports["4.3"]), str(reports["4.4.1"])]
    listed = tmp_path / "approved.toml"
    listed.write_text("")
    assert compare.main([*both, "--approved", str(listed)]) == 1
    said = capsys.readouterr().out
    assert "## a15_delete_on_error (merged): DIFFERS" in said
    assert "make 4.3" in said
    assert "b01_cd" not in said
    entry = '[[difference]]\nbetween = "reports"\ncase = "a15*"\nlines = ["difference .*"]\nwhy = "4.3 keeps it"\n'
    listed.write_text(entry)
    assert compare.main([*both, "--approved", str(listed)]) == 0
    assert "approved: 4.3 keeps it" in capsys.readouterr().out
    assert compare.main([both[0], both[0], "--approved", str(listed)]) == 1
    assert "stale approval: a15*" in capsys.readouterr().out


def test_events_that_differ_are_told_apart(reports: dict[str, Path], tmp_path: Path) -> None:
    one = compare.load(next(iter(reports.values())))
    two = json.loads(json.dumps(one))
    verdict = next(found for found in two["verdicts"] if found["case"] == "b01_cd")
    verdict["events"] = ["0 all 0 1 goal"]
    assert list(compare.compare(one, one)) == []
    assert list(compare.compare(one, two)) == [
        (("b01_cd", "merged"), ["event -0 all 0 2 goal", "event +0 all 0 1 goal"])
    ]


def test_a_file_that_is_no_report_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no.json"
    path.write_text(json.dumps({"format": report.FORMAT + 1}))
    with pytest.raises(ValueError, match="no conformance report"):
        compare.load(path)
