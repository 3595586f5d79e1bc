"""Tools that load a library into make and into what it starts (LD_PRELOAD): they see what they see with plain make."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from make_metrics.setup import renewal
from tests.support.programs import needs
from tests.support.project import Project, markers

# Writes each program that a process starts, by exec or by posix_spawn, to a pipe: to a file it could not while the
# shim is being tried, which is done with a limit of file size.
WATCHER = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void note(const char *path)
{
    int fd = open(getenv("WATCHED"), O_WRONLY);
    char line[4096] = "";
    strncat(strncat(line, path, sizeof line - 2), "\n", 1);
    if (write(fd, line, strlen(line)) < 0)
        abort();
    close(fd);
}

int execve(const char *path, char *const words[], char *const environment[])
{
    int (*real)(const char *, char *const[], char *const[]) = dlsym(RTLD_NEXT, "execve");
    note(path);
    return real(path, words, environment);
}

int execvp(const char *path, char *const words[])
{
    int (*real)(const char *, char *const[]) = dlsym(RTLD_NEXT, "execvp");
    note(path);
    return real(path, words);
}

#define SPAWN(name)                                                                                                    \
    int name(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,                                  \
             const posix_spawnattr_t *attributes, char *const words[], char *const environment[])                      \
    {                                                                                                                  \
        int (*real)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,              \
                    char *const[], char *const[]) = dlsym(RTLD_NEXT, #name);                                           \
        note(path);                                                                                                    \
        return real(pid, path, actions, attributes, words, environment);                                               \
    }
SPAWN(posix_spawn)
SPAWN(posix_spawnp)
"""
COMPILE = """
all: a.o b.o c.o
a.o: a.c
    cc -c a.c -o a.o
b.o: b.c
    cc -c b.c -o b.o && :
"""


def outcomes(each: Project, text: str, *words: str, **variables: str) -> tuple[list[str], list[str]]:
    """What a make below the words prints and ends with: plain, then with the include line."""
    results = []
    for line in ("", None):
        each.write(text, line=line)
        done = each.run([*words, each.make_path], env=each.environment(**variables))
        results.append([done.stdout, done.stderr, str(done.returncode)])
    return results[0], results[1]


@pytest.mark.parametrize("mentioned", ["", "$(if ,$(SHELL))"])
def test_a_library_sees_every_program_that_a_line_starts(each: Project, tmp_path: Path, mentioned: str) -> None:
    needs("cc")
    if sys.platform != "linux":
        pytest.skip("needs LD_PRELOAD")
    source, library, log = tmp_path / "watcher.c", tmp_path / "watcher.so", tmp_path / "log"
    source.write_text(WATCHER)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    each.write(f"{mentioned}\nall:\n\tuname one\n\t-uname two; uname three\n\t-/bin/uname four\n")
    os.mkfifo(log)
    reader = os.open(log, os.O_RDWR | os.O_NONBLOCK)
    each.run([each.make_path, "-i"], env=each.environment(LD_PRELOAD=str(library), WATCHED=str(log)))
    started = [Path(name).name for name in os.read(reader, 65_536).decode().splitlines()]
    os.close(reader)
    assert started.count("uname") == 4
    assert [event.target for event in each.recorded()] == ["all"]


def test_bear_finds_every_compilation(each: Project) -> None:
    needs("bear", "cc")
    for name in "abc":
        (each.folder / f"{name}.c").write_text("int variable;\n")
    database = each.folder / "compile_commands.json"
    found = []
    for line in ("", None):
        each.write(COMPILE, line=line)
        done = each.run(["bear", "--", each.make_path, "-s"])
        assert (done.returncode, done.stdout) == (0, "")
        found.append(
            sorted((Path(entry["file"]).name, entry["arguments"]) for entry in json.loads(database.read_text()))
        )
        for path in (*each.folder.glob("*.o"), database):
            path.unlink()
    assert found[0] == found[1]
    assert len(found[1]) == 3


def test_a_run_below_bear_is_recorded_once(each: Project) -> None:
    """bear starts every program from a process of its own, which then stands between make and the shim."""
    needs("bear")
    each.write("""
    all: one two sub
        @echo simple
        @variable=1; echo $$variable
    one two: ; @echo $@ && :
    sub: ; @$(MAKE) --no-print-directory inner
    inner: ; @echo inner
    """)
    done = each.run(["bear", "--", each.make_path, "-j2"])
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.split()) == ["1", "inner", "one", "simple", "two"]
    events = {event.target: event for event in each.recorded()}
    assert {name: (event.make_level, event.goal) for name, event in events.items()} == {
        "all": (0, True), "one": (0, False), "two": (0, False), "sub": (0, False), "inner": (1, False)
    }  # fmt: skip
    (record,) = each.records()
    assert record.read_text().count("\nM ") == 2
    assert record.read_text().count("\nL ") == 6
    assert len(markers(each.paths.makes)) == 2


@pytest.mark.parametrize("date", ["1999-01-01 12:00:00", "2040-01-01 12:00:00", "2 days ago"])
def test_a_run_in_another_time_is_recorded_and_make_finds_no_odd_date(each: Project, date: str) -> None:
    """faketime moves the dates of files as well: the fragment's must not come to stand before 1970."""
    needs("faketime")
    each.write("all: one\n\t@echo all\none:\n\t@echo one && :\n")
    os.utime(each.paths.fragment, (renewal.DATE, renewal.DATE))
    done = each.run(["faketime", date, each.make_path])
    assert (done.returncode, done.stdout, done.stderr) == (0, "one\nall\n", "")
    assert sorted(each.events()) == ["all", "one"]
    assert each.cli("runs").stdout.count("\n") == 2


@pytest.mark.parametrize(
    "words", [["fakeroot"], ["faketime", "2001-02-03 04:05:06"], ["eatmydata"]], ids=lambda words: words[0]
)
def test_tools_that_change_what_a_program_sees(each: Project, words: list[str]) -> None:
    needs(*words[:1])
    text = """
    all:
        @rm -f file; touch file; chown daemon file; stat -c %U file || :
        @stat -c %U file
        @date +%Y-%m-%d
        @date +%Y-%m-%d; :
    """
    plain, ours = outcomes(each, text, *words)
    assert plain == ours
