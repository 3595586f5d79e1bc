from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from make_metrics.combine.record import Make, Needs, make_from, parse
from make_metrics.combine.run import gather
from make_metrics.hot import record_format
from make_metrics.walk import header


def test_a_stored_make_reads_back_unchanged() -> None:
    make = Make(key="a.1.2", goals=("all", "b"), level=1, parallel=True, wall_ns=5)
    assert make_from(json.loads(json.dumps(asdict(make)))) == make


def test_fields_of_a_newer_version_are_ignored() -> None:
    assert make_from({"key": "a.1.2", "colour": "red"}) == Make(key="a.1.2")


def test_a_make_in_a_record_reads_back_unchanged() -> None:
    make = Make(
        key="a.1.2", goals=("all", "b&c", "d e"), level=1, parallel=True, wall_ns=5, branch="fix=me", directory="/ä"
    )
    assert parse(record_format.make_entry(asdict(make))).makes == [make]


def test_the_walk_names_the_fields_of_a_make() -> None:
    facts = header.describe(psutil.Process(), "a.1.2", [])
    assert set(facts) == set(Make.__dataclass_fields__)
    assert parse(record_format.make_entry(facts)).makes[0].directory == str(Path.cwd())


@pytest.mark.parametrize(
    "values",
    [{}, {"key": ""}, {"key": 5}, {"key": "a", "goals": "all"}, {"key": "a", "goals": [1]},
     {"key": "a", "wall_ns": "x"},
     {"key": "a", "level": True}, {"key": "a", "level": -1}, {"key": "a", "wall_ns": 2**63},
     {"key": "a", "branch": None},
     {"key": "\ud800"}],
)  # fmt: skip
def test_values_that_are_no_make_are_refused(values: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        make_from(values)


@pytest.mark.parametrize(
    "words",
    [b"", b"level=1", b"key=- level=1", b"key=a level=x", b"key=a level=-1", b"key=a parallel=yes", b"key=a wall_ns=",
     b"key=a branch=%zz", b"key=%FF\xff", b"key=a wall_ns=9223372036854775808", b"key=a directory=/a%00b",
     b"key=a directory=a/b", b"key=a repository=..", b"key=a repository=/%00", b"key=a directory=" + b"/a" * 50_000],
)  # fmt: skip
def test_an_entry_that_is_no_make_is_torn(words: bytes) -> None:
    contents = parse(b"M " + words + b" ;\n")
    assert (contents.makes, contents.torn) == ([], 1)


def test_a_goal_that_is_not_utf_8_reads_like_its_target() -> None:
    contents = parse(record_format.make_entry({"key": "m", "goals": ("\udcff",)}) + b"L m %FF - 0 1 1 1 0 0 ;\n")
    assert contents.makes[0].goals == (contents.lines[0].target,)


def test_a_line_of_an_earlier_version_has_no_usage() -> None:
    contents = parse(b"L m a - 0 1 4 5 0 0 ;\nL m a - 0 1 4 5 0 0 7 8 ;\n")
    assert [(line.cpu_us, line.peak_kib) for line in contents.lines] == [(None, None), (7, 8)]


@pytest.mark.parametrize(
    "entry",
    [b"L m a - 0 1 5 4 0 0 ;", b"L m - - 0 1 4 5 0 0 ;", b"L m a - 0 1 4 5 0 ;", b"L m a - 0 1 -4 5 0 0 ;",
     b"L m a - 0 9999999999999999999 4 5 0 0 ;", b"L m a - -1 1 4 5 0 0 ;", b"L m %zz - 0 1 4 5 0 0 ;",
     b"L m a - 0 1 4 5 9999999999 0 ;", b"L m a - 0 1 4 5 0 0 7 ;", b"L m a - 0 1 4 5 0 0 7 7 7 ;",
     b"L m a - 0 1 4 5 0 0 -1 7 ;", b"L m a - 0 1 4 5 0 0 7 999999999999999 ;", b"X ;", b" ;", b"M [] ;", b"M ;",
     b"L m a - 0 " + b"9" * 5000 + b" 4 5 0 0 ;",
     b"M " + b"[" * 100_000 + b" ;"],
)  # fmt: skip
def test_an_impossible_entry_is_torn(entry: bytes) -> None:
    contents = parse(entry + b"\n")
    assert (contents.lines, contents.makes, contents.torn) == ([], [], 1)


def test_what_a_target_needs_is_read_once_for_all_its_lines() -> None:
    entries = [
        b"P m a%20b . ;",
        b"P m c x%20y;z;y ;",
        b"P m c x%20y;z;y ;",
        b"P m d x;;%3D ;",
        b"P m odd a%3Bb;;= ;",
        b"P m \xff \xfe%20b;;= ;",
        b"P m torn x;y",
        b"P m many " + b"%20".join([b"n"] * 99) + b";; ;",
    ]
    contents = parse(b"\n".join(entries) + b"\n")
    assert dict(contents.needs) == {
        ("m", "a b"): Needs(),
        ("m", "c"): Needs(("x", "y"), ("z",), 2),
        ("m", "d"): Needs(("x",), (), 1),
        ("m", "\\xff"): Needs(("\\xfe", "b"), (), 3),
    }
    assert (len(contents.needs), contents.torn) == (4, 2)


def test_of_two_rules_for_a_target_the_longer_list_counts() -> None:
    entries = [b"P m t x;;= ;", b"P m t x%20y;;= ;"]
    for order in (entries, entries[::-1]):
        assert gather("m", parse(b"\n".join(order))).needs == {("m", "t"): Needs(("x", "y"), (), 3)}
