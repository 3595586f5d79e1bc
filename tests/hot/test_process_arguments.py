"""What macOS keeps of a process's start, parsed by the launcher's own code: recorded and generated buffers."""

from __future__ import annotations

import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ci.build_launcher import SANITIZERS
from tests.support.project import SOURCE

Parsed = tuple[list[bytes], list[bytes]] | None
PROGRAM = """\
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "process_arguments.c"

/* For each buffer, which its size stands in front of: "-", or the sizes of the words and the environment, and both. */
int main(void)
{
    unsigned int size;
    while (fread(&size, sizeof size, 1, stdin) == 1) {
        char *buffer = malloc(size), *words, *environment; /* just as large: the sanitizer sees a byte too far */
        size_t words_length, environment_length;
        if (fread(buffer, 1, size, stdin) != size)
            return 1;
        if (!parse_process_arguments(buffer, size, &words, &words_length, &environment, &environment_length)) {
            puts("-");
        } else {
            printf("%zu %zu\\n", words_length, environment_length);
            fwrite(words, 1, words_length, stdout);
            fwrite(environment, 1, environment_length, stdout);
        }
        free(buffer);
    }
    return 0;
}
"""
texts = st.binary(max_size=20).map(lambda text: text.replace(b"\0", b""))


@pytest.fixture(scope="module")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bytes], Parsed]:
    folder = tmp_path_factory.mktemp("parser")
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here")
    (folder / "parser.c").write_text(PROGRAM)
    words: list[str | Path] = [compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", *SANITIZERS,
             "-I", SOURCE / "make_metrics/hot/in_c", "-o", folder / "parser", folder / "parser.c"]  # fmt: skip
    subprocess.run(words, check=True, timeout=100)

    def parse(buffer: bytes) -> Parsed:
        done = subprocess.run(
            [folder / "parser"],
            input=struct.pack("=I", len(buffer)) + buffer,
            capture_output=True,
            timeout=100,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, b"")
        head, _, rest = done.stdout.partition(b"\n")
        if head == b"-":
            return None
        words_length, environment_length = map(int, head.split())
        assert len(rest) == words_length + environment_length
        return _list(rest[:words_length]), _list(rest[words_length:])

    return parse


def _list(text: bytes) -> list[bytes]:
    assert not text or text.endswith(b"\0")
    return text.split(b"\0")[:-1]


def _buffer(path: bytes, padding: int, words: list[bytes], environment: list[bytes], end: bytes) -> bytes:
    """As XNU lays it out (bsd/kern/kern_exec.c, exec_copyout_strings; bsd/kern/kern_sysctl.c, sysctl_procargsx)."""
    texts = b"".join(text + b"\0" for text in (*words, *environment))
    return struct.pack("=i", len(words)) + path + b"\0" * (1 + padding) + texts + end


def test_the_words_and_the_environment_of_a_make_on_a_mac(parse: Callable[[bytes], Parsed]) -> None:
    apple = [b"", b"executable_path=/usr/bin/make", b"stack_guard=0x7a1f"]  # behind the environment, for dyld
    buffer = _buffer(
        b"/opt/homebrew/bin/gmake", 8, [b"gmake", b"-j4", b"all"], [b"PATH=/usr/bin:/bin", b"EMPTY=", b"A=b=c"],
        b"".join(text + b"\0" for text in apple),
    )  # fmt: skip
    assert parse(buffer) == ([b"gmake", b"-j4", b"all"], [b"PATH=/usr/bin:/bin", b"EMPTY=", b"A=b=c"])


def test_a_protected_program_shows_its_words_alone(parse: Callable[[bytes], Parsed]) -> None:
    assert parse(_buffer(b"/usr/bin/make", 3, [b"make", b"test"], [], b"")) == ([b"make", b"test"], [])
    assert parse(_buffer(b"/usr/bin/make", 3, [b"make", b"test"], [], b"\0" * 8)) == ([b"make", b"test"], [])


def test_an_empty_word_is_a_word(parse: Callable[[bytes], Parsed]) -> None:
    assert parse(_buffer(b"/m", 0, [b"make", b"", b"x"], [b"A=1"], b"\0")) == ([b"make", b"", b"x"], [b"A=1"])


@pytest.mark.parametrize("size", range(30))
def test_a_buffer_that_was_cut_short_gives_whole_texts_or_nothing(parse: Callable[[bytes], Parsed], size: int) -> None:
    whole = _buffer(b"/m", 2, [b"make", b"all"], [b"A=1", b"B=2"], b"\0")
    parsed = parse(whole[:size])
    if size < len(whole) - len(b"A=1\0B=2\0\0"):
        assert parsed is None
    else:
        assert parsed is not None
        assert parsed[0] == [b"make", b"all"]
        assert parsed[1] == [b"A=1", b"B=2"][: len(parsed[1])]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=texts, padding=st.integers(0, 9), first=texts.filter(bool), rest=st.lists(texts, max_size=5),
    environment=st.lists(texts.filter(bool), max_size=5), end=st.sampled_from([b"", b"\0", b"\0\0\0apple=1\0"]),
)  # fmt: skip
def test_what_was_laid_out_is_found(
    parse: Callable[[bytes], Parsed],
    path: bytes, padding: int, first: bytes, rest: list[bytes], environment: list[bytes], end: bytes,
) -> None:  # fmt: skip
    assert parse(_buffer(path, padding, [first, *rest], environment, end)) == ([first, *rest], environment)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(count=st.integers(-(2**31), 2**31 - 1) | st.integers(-1, 6), rest=st.binary(max_size=80))
def test_any_bytes_are_read_within_their_bounds(parse: Callable[[bytes], Parsed], count: int, rest: bytes) -> None:
    parsed = parse(struct.pack("=i", count) + rest)
    assert parsed is None or len(parsed[0]) == count
