from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from make_metrics.combine.record import Line, parse
from make_metrics.hot import record_format

NUMBER = st.integers(min_value=0, max_value=2**63 - 1)
USAGE = st.none() | st.tuples(st.integers(0, 2**47 - 1), st.integers(0, 2**47 - 1))
KEY = st.from_regex(r"[0-9a-f]{8}\.[0-9]{1,7}\.[0-9]{1,10}", fullmatch=True).map(str.encode)


@st.composite
def entries(draw: st.DrawFn) -> bytes:
    start, end = sorted((draw(NUMBER), draw(NUMBER)))
    return record_format.line_entry(
        draw(KEY),
        draw(st.binary(min_size=1)),
        draw(st.binary()),
        draw(st.integers(0, 1000)),
        draw(NUMBER),
        start,
        end,
        draw(st.integers(-64, 255)),
        draw(st.integers(0, 64)),
        draw(USAGE),
    )


@given(st.binary())
def test_decoding_gives_back_any_bytes(text: bytes) -> None:
    word = record_format.encode(text)
    assert record_format.decode(word) == text
    assert word
    assert all(33 <= byte <= 126 for byte in word)


@given(st.binary(), st.binary())
def test_different_texts_are_different_words(first: bytes, second: bytes) -> None:
    assert (record_format.encode(first) == record_format.encode(second)) == (first == second)


@given(KEY, st.binary(min_size=1), st.binary(), st.integers(0, 9), NUMBER, NUMBER, st.integers(-64, 255), USAGE)
def test_parsing_gives_back_a_line(
    make: bytes,
    target: bytes,
    goal: bytes,
    level: int,
    wall: int,
    end: int,
    status: int,
    usage: tuple[int, int] | None,
) -> None:
    contents = parse(record_format.line_entry(make, target, goal, level, wall, 0, end, status, 2, usage))
    assert contents.torn == 0
    assert contents.lines == [
        Line(
            make=make.decode(),
            target=target.decode("utf-8", "backslashreplace"),
            goal=goal.decode("utf-8", "backslashreplace"),
            level=level,
            wall_ns=wall,
            start_ns=0,
            end_ns=end,
            status=status,
            fate=2,
            cpu_us=usage[0] if usage else None,
            peak_kib=usage[1] if usage else None,
        )
    ]


@given(entries())
def test_an_entry_cut_short_is_torn_or_the_same(entry: bytes) -> None:
    whole = parse(entry).lines
    for length in range(1, len(entry)):
        contents = parse(entry[:length])
        assert (contents.lines, contents.torn) in ((whole, 0), ([], 1))
        after = parse(entry[:length] + b"\n" + entry)
        assert after.lines[-1:] == whole


@given(entries(), st.integers(0, 10_000), st.integers(0, 255))
def test_a_damaged_entry_is_an_entry_or_torn(entry: bytes, at: int, byte: int) -> None:
    damaged = bytearray(entry)
    damaged[at % (len(entry) - 1)] = byte
    contents = parse(bytes(damaged))
    assert len(contents.lines) + contents.torn >= 1


@given(st.binary())
def test_any_bytes_can_be_read(data: bytes) -> None:
    contents = parse(data)
    assert len(contents.lines) + len(contents.makes) + contents.torn <= data.count(b"\n") + 1


@given(KEY)
def test_the_preamble_names_run_and_record(run: bytes) -> None:
    contents = parse(record_format.preamble(run, b"0123456789abcdef"))
    assert (contents.run, contents.identity, contents.torn) == (run.decode(), "0123456789abcdef", 0)


def test_a_record_of_another_version_is_not_read() -> None:
    assert parse(b"R 99 a.1.2 abc ;\n").torn == 1
