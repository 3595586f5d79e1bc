"""The launcher decodes, splits and writes as the Python shim does, for any input; compiled with sanitizers."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from make_metrics.hot import record_format, split_words, traceparent
from make_metrics.hot.arguments import Arguments
from tests.support.launcher_driver import Driver

TEXT = st.binary(max_size=60).map(lambda text: text.replace(b"\0", b""))
LINE = st.text("ab=- \t\n\\'\"$;.:#/~é", max_size=30).map(str.encode)
NUMBER = st.integers(min_value=0, max_value=2**63 - 1)
COMMON = settings(deadline=None, max_examples=400)
VERSIONS = [(3, 81), (3, 82), (4, 0), (4, 2), (4, 3), (4, 4)]


def version_number(version: tuple[int, int]) -> int:
    """The launcher's VERSION_NUMBER."""
    return version[0] * 1000 + version[1]


def fragment_words() -> st.SearchStrategy[list[bytes]]:
    """Words exactly as the fragment writes them."""
    word = TEXT.map(lambda text: record_format.encode(text).replace(b":", b"%3A") if text else b"")
    version = st.sampled_from([b"3.81", b"4.0", b"4.2.1", b"4.3", b"4.3.90", b"4.4", b"4.4.1", b"5.0"])
    level = st.sampled_from([b"", b"0", b"1", b"17"])
    meta = st.tuples(level, version, word, st.sampled_from([b"f", b"a", b"s", b""])).map(b":".join)
    shell = st.lists(TEXT, min_size=1, max_size=3)
    return st.builds(
        lambda target, goal, meta, state, environment, shell, rest, traced: [
            b"mm1", b"t:" + target, b"g:" + goal, b"m:" + meta, b"h:" + state, b"e:" + environment,
            b"%b%d" % (traced, len(shell)), *shell, *rest,
        ],
        word, word, meta, word, TEXT, shell, st.lists(TEXT, max_size=3), st.sampled_from([b"", b"+"]),
    )  # fmt: skip


@st.composite
def damaged_words(draw: st.DrawFn) -> list[bytes]:
    words = draw(fragment_words())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(words) - 1))
        start = draw(st.integers(0, len(words[at])))
        change = draw(
            st.sampled_from([b"", b"%", b"%4", b"%zz", b"%00", b"%+1", b"+", b":", b"-", b"1", b"9999999", b" "])
        )
        words[at] = words[at][:start] + change + words[at][start + draw(st.integers(0, 2)) :]
    return words[: draw(st.integers(1, len(words)))]


def decoded(words: list[bytes]) -> list[bytes]:
    """The answer that the launcher must give: what the Python shim decodes."""
    arguments = Arguments(words)
    numbers = b"%d" % arguments.level, b"%d" % len(arguments.shell), b"%d" % version_number(arguments.numbers)
    splits = arguments.ifs if arguments.ifs in (b"f", b"a") else b""
    texts = [
        arguments.target,
        arguments.goal,
        numbers[0],
        arguments.version,
        arguments.make,
        splits,
        arguments.state,
        arguments.environment,
        arguments.needs,
    ]
    return [*texts, *numbers[1:], b"traced" if arguments.traced else b""]


@COMMON
@given(words=fragment_words())
def test_the_launcher_decodes_what_the_fragment_writes(driver: Driver, words: list[bytes]) -> None:
    assert driver.ask(b"arguments", *words) == decoded(words)


@COMMON
@given(words=damaged_words())
def test_damaged_words_are_left_to_python_or_decoded_alike(driver: Driver, words: list[bytes]) -> None:
    answer = driver.ask(b"arguments", *words)
    assert not answer or answer == decoded(words)


@COMMON
@given(words=st.lists(TEXT, max_size=12))
def test_any_words_do_no_harm(driver: Driver, words: list[bytes]) -> None:
    assert driver.ask(b"arguments", *words) == []


@COMMON
@given(line=LINE | TEXT, newline_is_text=st.booleans(), version=st.sampled_from(VERSIONS))
def test_simple_lines_are_split_alike(
    driver: Driver, line: bytes, newline_is_text: bool, version: tuple[int, int]
) -> None:
    expected = split_words.split(line, version, newline_is_text=newline_is_text)
    number = b"%d" % version_number(version)
    assert driver.ask(b"simple", line, b"1" * newline_is_text, number) == (expected or [])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("word", sorted(split_words.builtins((9, 9))))
def test_both_shims_know_the_same_shell_builtins(driver: Driver, word: bytes, version: tuple[int, int]) -> None:
    number = b"%d" % version_number(version)
    known = word in split_words.builtins(version)
    assert driver.ask(b"simple", word + b" x", b"", number) == ([] if known else [word, b"x"])
    assert driver.ask(b"simple", word, b"", number) == ([] if known else [word])
    assert driver.ask(b"simple", word + b"x y", b"", number) == [word + b"x", b"y"]


@COMMON
@given(
    target=TEXT | st.just(b"-"), goal=TEXT, level=st.integers(0, 10**6), wall=NUMBER, start=NUMBER, end=NUMBER,
    status=st.integers(-64, 255), fate=st.integers(0, 64), usage=st.none() | st.tuples(NUMBER, NUMBER),
    needs=st.sampled_from([b"", b".", b"a%20b%3B%3B=", b"x" * 5_000]),
)  # fmt: skip
def test_both_shims_write_the_same_entry(
    driver: Driver,
    target: bytes,
    goal: bytes,
    level: int,
    wall: int,
    start: int,
    end: int,
    status: int,
    fate: int,
    usage: tuple[int, int] | None,
    needs: bytes,
) -> None:
    numbers = level, wall, start, end, status, fate
    (written,) = driver.ask(
        b"entry", b"0a.1.2", target, goal, *(b"%d" % number for number in (*numbers, *(usage or (-1, -1)))), needs
    )
    assert written == record_format.line_entry(b"0a.1.2", target, goal, *numbers, usage, needs)


@COMMON
@given(
    anonymous_id=st.sampled_from([b"", b"3f0c9a5e-52b5-4c54-9d0a-3c1d0c1a7f10"]),
    target=st.one_of(
        st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=300),
        st.from_regex(r"(\./+){0,3}[a-z.]{1,9}", fullmatch=True),
    ).map(str.encode),
)
def test_both_shims_name_the_same_span(driver: Driver, anonymous_id: bytes, target: bytes) -> None:
    handed = b"0af7651916cd43dd8448eb211c80319c/" + anonymous_id
    run, make = b"0123abcd.77.4242", b"0123abcd.78.4243"
    expected = traceparent.NAME + b"=" + traceparent.traceparent(handed, run, make, target)
    assert driver.ask(b"traceparent", handed, run, make, target) == [expected]


def test_a_damaged_marker_names_no_span(driver: Driver) -> None:
    for text in (b"", b"abc", b"abc/", b"0" * 33 + b"/"):
        assert driver.ask(b"traceparent", text, b"r", b"m", b"t") == []
